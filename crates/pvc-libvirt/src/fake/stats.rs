//! Figures that look like those of a busy VM and grow with time.

use pvc_common::id::VmUuid;
use pvc_common::unit::Bytes;

use super::state::FakeVm;
use crate::hypervisor::{DiskStats, NetStats, VmStats};

/// What an idle Linux guest leaves unused of its memory, as a part of 4.
const UNUSED_QUARTERS: u64 = 3;

/// How large a disk is that has not grown.
const CAPACITY: Bytes = Bytes(1 << 20);

pub(super) fn stats(uuid: VmUuid, vm: &FakeVm) -> VmStats {
    let up_ms = u64::try_from(vm.since.elapsed().as_millis()).unwrap_or(u64::MAX);
    let kib = vm.memory.0 * 1024;
    // A tenth of a processor, most of it the guest's own.
    let cpu_ns = up_ms * 100_000;
    let disk = |disk: &pvc_domxml::Disk| DiskStats {
        name: disk.name.clone(),
        dev: disk.dev.clone(),
        rd_req: up_ms / 100,
        rd_bytes: up_ms * 40,
        wr_req: up_ms / 50,
        wr_bytes: up_ms * 80,
        err: -1,
        capacity: Some(vm.grown.get(&disk.dev).copied().unwrap_or(CAPACITY)),
    };
    let net = |(index, _)| NetStats {
        name: format!("vnet{index}"),
        rd_bytes: up_ms * 10,
        rd_packets: up_ms / 100,
        wr_bytes: up_ms * 5,
        wr_packets: up_ms / 200,
        ..NetStats::default()
    };
    VmStats {
        uuid,
        name: vm.name.clone(),
        max_mem_kib: kib,
        live_mem_kib: kib,
        vcpus: vm.vcpus.0,
        cpu_time_ns: [cpu_ns, cpu_ns / 10, cpu_ns / 5],
        memory: vec![
            ("actual".to_owned(), kib),
            ("available".to_owned(), kib),
            ("unused".to_owned(), kib / 4 * UNUSED_QUARTERS),
            ("rss".to_owned(), kib / 2),
        ],
        disks: vm.devices.disks.iter().map(disk).collect(),
        nets: vm.devices.networks.iter().enumerate().map(net).collect(),
    }
}
