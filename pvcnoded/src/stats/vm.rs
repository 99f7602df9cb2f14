//! The figures of one VM, in the form upstream's clients read.

use std::path::Path;

use pvc_libvirt::{DiskStats, NetStats, VmStats};
use serde_json::{Map, Value, json};

/// The JSON object kept below the VM.
pub(super) fn json(vm: &VmStats, devices: &Path) -> Value {
    let [cpu_time, user_time, system_time] = vm.cpu_time_ns;
    let memory: Map<String, Value> =
        vm.memory.iter().map(|(name, kib)| (name.clone(), json!(kib))).collect();
    json!({
        // Only VMs that execute have figures.
        "state": "RUNNING",
        "maxmem": vm.max_mem_kib,
        "livemem": vm.live_mem_kib,
        "cpus": vm.vcpus,
        "cputime": cpu_time,
        "mem_stats": memory,
        "cpu_stats": {
            "cpu_time": cpu_time,
            "user_time": user_time,
            "system_time": system_time,
        },
        "disk_stats": vm.disks.iter().map(disk).collect::<Vec<_>>(),
        "net_stats": vm.nets.iter().map(|net| interface(net, devices)).collect::<Vec<_>>(),
    })
}

fn disk(disk: &DiskStats) -> Value {
    json!({
        "name": disk.name,
        "rd_req": disk.rd_req,
        "rd_bytes": disk.rd_bytes,
        "wr_req": disk.wr_req,
        "wr_bytes": disk.wr_bytes,
        "err": disk.err,
    })
}

fn interface(net: &NetStats, devices: &Path) -> Value {
    json!({
        "name": net.name,
        "bridge": bridge_of(&net.name, devices),
        "rd_bytes": net.rd_bytes,
        "rd_packets": net.rd_packets,
        "rd_errors": net.rd_errors,
        "rd_drops": net.rd_drops,
        "wr_bytes": net.wr_bytes,
        "wr_packets": net.wr_packets,
        "wr_errors": net.wr_errors,
        "wr_drops": net.wr_drops,
    })
}

/// The bridge a tap device belongs to, as the kernel shows it; nothing if it has none.
fn bridge_of(tap: &str, devices: &Path) -> String {
    std::fs::read_link(devices.join(tap).join("master"))
        .ok()
        .and_then(|link| Some(link.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_default()
}
