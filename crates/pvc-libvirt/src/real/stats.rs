//! Figures of the VMs that execute, read in one call for all of them.

use std::collections::HashMap;

use pvc_common::id::VmUuid;
use pvc_common::unit::Bytes;
use pvc_domxml::describe;
use virt::connect::Connect;
use virt::domain::Domain;
use virt::error::{Error, ErrorNumber};
use virt_sys as sys;

use super::ffi::{self, Record, Value, Values};
use super::observe::{identity, number};
use crate::hypervisor::{DiskStats, NetStats, VmStats};

const GROUPS: u32 = sys::VIR_DOMAIN_STATS_CPU_TOTAL
    | sys::VIR_DOMAIN_STATS_BALLOON
    | sys::VIR_DOMAIN_STATS_VCPU
    | sys::VIR_DOMAIN_STATS_INTERFACE
    | sys::VIR_DOMAIN_STATS_BLOCK;

/// Only VMs that execute: others do not answer. And without waiting for those that are busy.
const FLAGS: u32 =
    sys::VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING | sys::VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;

/// What libvirt calls its figures of a balloon here, and what its own statistics call them.
const BALLOON: [(&str, &str); 13] = [
    ("balloon.current", "actual"),
    ("balloon.swap_in", "swap_in"),
    ("balloon.swap_out", "swap_out"),
    ("balloon.major_fault", "major_fault"),
    ("balloon.minor_fault", "minor_fault"),
    ("balloon.unused", "unused"),
    ("balloon.available", "available"),
    ("balloon.usable", "usable"),
    ("balloon.last-update", "last_update"),
    ("balloon.disk_caches", "disk_caches"),
    ("balloon.hugetlb_pgalloc", "hugetlb_pgalloc"),
    ("balloon.hugetlb_pgfail", "hugetlb_pgfail"),
    ("balloon.rss", "rss"),
];

/// The names of network disks by VM and device: libvirt's figures have only those of files, and
/// asking for each VM's definition each time would cost more than all the rest.
#[derive(Debug, Default)]
pub(super) struct DiskNames(HashMap<VmUuid, HashMap<String, String>>);

impl DiskNames {
    /// Forgets the disks of a VM, because they may have changed.
    pub(super) fn forget(&mut self, uuid: VmUuid) {
        self.0.remove(&uuid);
    }

    fn keep_only(&mut self, vms: &[VmStats]) {
        let mut kept = HashMap::with_capacity(vms.len());
        for vm in vms {
            kept.extend(self.0.remove_entry(&vm.uuid));
        }
        self.0 = kept;
    }

    /// Names the disks of a VM that libvirt did not name.
    fn complete(&mut self, connect: &Connect, vm: &mut VmStats) -> Result<(), Error> {
        if vm.disks.iter().all(|disk| !disk.name.is_empty()) {
            return Ok(());
        }
        let known = self.0.get(&vm.uuid);
        if !known.is_some_and(|known| vm.disks.iter().all(|disk| known.contains_key(&disk.dev))) {
            self.0.insert(vm.uuid, disk_names(connect, vm.uuid)?);
        }
        if let Some(known) = self.0.get(&vm.uuid) {
            for disk in vm.disks.iter_mut().filter(|disk| disk.name.is_empty()) {
                disk.name = known.get(&disk.dev).cloned().unwrap_or_default();
            }
        }
        Ok(())
    }
}

fn disk_names(connect: &Connect, uuid: VmUuid) -> Result<HashMap<String, String>, Error> {
    let xml = Domain::lookup_by_uuid_string(connect, &uuid.to_string())
        .and_then(|domain| domain.get_xml_desc(0));
    match xml {
        Ok(xml) => {
            let disks = describe(&xml).map(|description| description.disks).unwrap_or_default();
            Ok(disks.into_iter().map(|disk| (disk.dev, disk.name)).collect())
        }
        // Gone since its figures were read.
        Err(error) if error.code() == ErrorNumber::NoDomain => Ok(HashMap::new()),
        Err(error) => Err(error),
    }
}

pub(super) fn stats(connect: &Connect, names: &mut DiskNames) -> Result<Vec<VmStats>, Error> {
    let mut vms: Vec<VmStats> =
        ffi::records(connect, GROUPS, FLAGS)?.iter().filter_map(vm_stats).collect();
    for vm in &mut vms {
        names.complete(connect, vm)?;
    }
    names.keep_only(&vms);
    Ok(vms)
}

fn vm_stats(record: &Record) -> Option<VmStats> {
    let (uuid, name) = identity(record)?;
    let values = &record.values;
    let count = |name: &str| number(values, name).unwrap_or(0);
    let memory = BALLOON
        .iter()
        .filter_map(|(theirs, ours)| Some(((*ours).to_owned(), number(values, theirs)?)));
    Some(VmStats {
        uuid,
        name,
        max_mem_kib: count("balloon.maximum"),
        live_mem_kib: count("balloon.current"),
        vcpus: number(values, "vcpu.current").unwrap_or(0),
        cpu_time_ns: [count("cpu.time"), count("cpu.user"), count("cpu.system")],
        memory: memory.collect(),
        disks: (0..count("block.count")).map(|index| disk(values, index)).collect(),
        nets: (0..count("net.count")).map(|index| net(values, index)).collect(),
    })
}

fn disk(values: &Values, index: u64) -> DiskStats {
    let of = |name: &str| format!("block.{index}.{name}");
    let count = |name: &str| number(values, &of(name)).unwrap_or(0);
    DiskStats {
        name: text(values, &of("path")),
        dev: text(values, &of("name")),
        rd_req: count("rd.reqs"),
        rd_bytes: count("rd.bytes"),
        wr_req: count("wr.reqs"),
        wr_bytes: count("wr.bytes"),
        err: number(values, &of("errors")).unwrap_or(-1),
        capacity: number(values, &of("capacity")).map(Bytes),
    }
}

fn net(values: &Values, index: u64) -> NetStats {
    let of = |name: &str| format!("net.{index}.{name}");
    let count = |name: &str| number(values, &of(name)).unwrap_or(0);
    NetStats {
        name: text(values, &of("name")),
        rd_bytes: count("rx.bytes"),
        rd_packets: count("rx.pkts"),
        rd_errors: count("rx.errs"),
        rd_drops: count("rx.drop"),
        wr_bytes: count("tx.bytes"),
        wr_packets: count("tx.pkts"),
        wr_errors: count("tx.errs"),
        wr_drops: count("tx.drop"),
    }
}

fn text(values: &Values, name: &str) -> String {
    match values.get(name) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Number(_)) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_becomes_figures_under_familiar_names() {
        let numbers = [
            ("balloon.current", 65_536),
            ("balloon.maximum", 131_072),
            ("balloon.rss", 40_000),
            ("balloon.last-update", 7),
            ("vcpu.current", 2),
            ("cpu.time", 9),
            ("cpu.user", 5),
            ("cpu.system", 4),
            ("block.count", 2),
            ("block.0.rd.reqs", 11),
            ("block.1.wr.bytes", 12),
            ("net.count", 1),
            ("net.0.rx.bytes", 13),
            ("net.0.tx.drop", 14),
        ];
        let texts = [
            ("block.0.name", "sda"),
            ("block.1.name", "hdc"),
            ("block.1.path", "/a.iso"),
            ("net.0.name", "vnet3"),
        ];
        let values = numbers
            .into_iter()
            .map(|(name, number)| (name.to_owned(), Value::Number(number)))
            .chain(texts.map(|(name, text)| (name.to_owned(), Value::Text(text.to_owned()))));
        let record = Record {
            uuid: "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10".to_owned(),
            name: "web1".to_owned(),
            values: values.collect(),
        };
        let vm = vm_stats(&record).unwrap();
        assert_eq!((vm.max_mem_kib, vm.live_mem_kib, vm.vcpus), (131_072, 65_536, 2));
        assert_eq!(vm.cpu_time_ns, [9, 5, 4]);
        let memory = [("actual", 65_536), ("last_update", 7), ("rss", 40_000)];
        assert_eq!(vm.memory, memory.map(|(name, kib)| (name.to_owned(), kib)));
        assert_eq!((vm.disks[0].dev.as_str(), vm.disks[0].rd_req), ("sda", 11));
        assert_eq!((vm.disks[1].name.as_str(), vm.disks[1].wr_bytes), ("/a.iso", 12));
        assert_eq!(vm.disks[0].err, -1);
        assert_eq!((vm.nets[0].rd_bytes, vm.nets[0].wr_drops), (13, 14));
    }
}
