//! Traffic of what is attached to a VM: network interfaces and disks.

use std::collections::BTreeMap;

use pvc_common::api::{Disk, Nic, Vm};

use super::text::{Metric, Sample, Subject};

/// Metrics of a VM's interfaces in one network.
pub(super) const NIC_METRICS: &[Metric<Nic>] = &[
    Metric::new("pvc_vm_network_macaddr", "Hardware address of a VM in a network", |nic| {
        Some(Sample::text("macaddr", &nic.mac))
    }),
    Metric::new("pvc_vm_network_model", "Emulated hardware of a VM in a network", |nic| {
        Some(Sample::text("model", &nic.model))
    }),
    Metric::new("pvc_vm_network_rd_packets", "Packets that a VM received", |nic| {
        Some(Sample::whole(nic.rd_packets))
    }),
    Metric::new("pvc_vm_network_rd_bits", "Bits that a VM received", |nic| {
        Some(Sample::whole(bits(nic.rd_bytes)))
    }),
    Metric::new("pvc_vm_network_rd_errors", "Errors when a VM received", |nic| {
        Some(Sample::whole(nic.rd_errors))
    }),
    Metric::new("pvc_vm_network_rd_drops", "Packets dropped when a VM received", |nic| {
        Some(Sample::whole(nic.rd_drops))
    }),
    Metric::new("pvc_vm_network_wr_packets", "Packets that a VM sent", |nic| {
        Some(Sample::whole(nic.wr_packets))
    }),
    Metric::new("pvc_vm_network_wr_bits", "Bits that a VM sent", |nic| {
        Some(Sample::whole(bits(nic.wr_bytes)))
    }),
    Metric::new("pvc_vm_network_wr_errors", "Errors when a VM sent", |nic| {
        Some(Sample::whole(nic.wr_errors))
    }),
    Metric::new("pvc_vm_network_wr_drops", "Packets dropped when a VM sent", |nic| {
        Some(Sample::whole(nic.wr_drops))
    }),
];

/// Metrics of a disk of a VM.
pub(super) const DISK_METRICS: &[Metric<Disk>] = &[
    Metric::new("pvc_vm_disk_rd_req", "Requests of a VM to read a disk", |disk| {
        Some(Sample::whole(disk.rd_req))
    }),
    Metric::new("pvc_vm_disk_rd_bytes", "Bytes that a VM read from a disk", |disk| {
        Some(Sample::whole(disk.rd_bytes))
    }),
    Metric::new("pvc_vm_disk_wr_req", "Requests of a VM to write a disk", |disk| {
        Some(Sample::whole(disk.wr_req))
    }),
    Metric::new("pvc_vm_disk_wr_bytes", "Bytes that a VM wrote to a disk", |disk| {
        Some(Sample::whole(disk.wr_bytes))
    }),
];

const fn bits(bytes: u64) -> u64 {
    bytes.saturating_mul(8)
}

/// The interfaces of every VM; those of one VM in one network are one.
pub(super) fn nics(vms: &[Subject<Vm>]) -> Vec<Subject<Nic>> {
    by_label(vms, "vni", |vm| &vm.networks, |nic| &nic.vni, join_nics)
}

/// The disks of every VM, by their names in the VM.
pub(super) fn disks(vms: &[Subject<Vm>]) -> Vec<Subject<Disk>> {
    by_label(vms, "disk", |vm| &vm.disks, |disk| &disk.dev, join_disks)
}

/// What is attached to every VM, told apart by `label`: two lines with the same labels would
/// make Prometheus drop one.
fn by_label<T: Clone>(
    vms: &[Subject<Vm>],
    label: &'static str,
    attached: fn(&Vm) -> &Vec<T>,
    name: fn(&T) -> &String,
    join: fn(&mut T, &T),
) -> Vec<Subject<T>> {
    let mut subjects = Vec::new();
    for vm in vms {
        let mut distinct: BTreeMap<&str, T> = BTreeMap::new();
        for one in attached(&vm.of) {
            distinct
                .entry(name(one))
                .and_modify(|other| join(other, one))
                .or_insert_with(|| one.clone());
        }
        subjects.extend(
            distinct
                .into_iter()
                .map(|(name, of)| Subject { labels: vm.labels.clone().and(label, name), of }),
        );
    }
    subjects
}

fn join_nics(all: &mut Nic, one: &Nic) {
    all.mac = format!("{},{}", all.mac, one.mac);
    if all.model != one.model {
        all.model = format!("{},{}", all.model, one.model);
    }
    for (sum, part) in [
        (&mut all.rd_bytes, one.rd_bytes),
        (&mut all.rd_packets, one.rd_packets),
        (&mut all.rd_errors, one.rd_errors),
        (&mut all.rd_drops, one.rd_drops),
        (&mut all.wr_bytes, one.wr_bytes),
        (&mut all.wr_packets, one.wr_packets),
        (&mut all.wr_errors, one.wr_errors),
        (&mut all.wr_drops, one.wr_drops),
    ] {
        *sum = sum.saturating_add(part);
    }
}

fn join_disks(all: &mut Disk, one: &Disk) {
    for (sum, part) in [
        (&mut all.rd_req, one.rd_req),
        (&mut all.rd_bytes, one.rd_bytes),
        (&mut all.wr_req, one.wr_req),
        (&mut all.wr_bytes, one.wr_bytes),
    ] {
        *sum = sum.saturating_add(part);
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::{Labels, Page};
    use super::*;

    #[test]
    fn two_interfaces_in_one_network_are_one_line() {
        let nic = |vni: &str, mac: &str, rd_bytes| Nic {
            vni: vni.to_owned(),
            mac: mac.to_owned(),
            model: "virtio".to_owned(),
            rd_bytes,
            ..Nic::default()
        };
        let networks = vec![nic("1001", "aa", 1), nic("7", "bb", 2), nic("1001", "cc", 4)];
        let vm = Vm { networks, ..Vm::default() };
        let mut page = Page::default();
        page.table(NIC_METRICS, &nics(&[Subject { labels: Labels::of("vm", "web1"), of: vm }]));
        let text = page.finish();
        for line in [
            r#"pvc_vm_network_macaddr{vm="web1",vni="1001",macaddr="aa,cc"} 1"#,
            r#"pvc_vm_network_macaddr{vm="web1",vni="7",macaddr="bb"} 1"#,
            r#"pvc_vm_network_model{vm="web1",vni="1001",model="virtio"} 1"#,
            r#"pvc_vm_network_rd_bits{vm="web1",vni="1001"} 40"#,
            r#"pvc_vm_network_rd_bits{vm="web1",vni="7"} 16"#,
        ] {
            assert_eq!(text.lines().filter(|one| *one == line).count(), 1, "{line}\n{text}");
        }
    }
}
