//! A VM as clients are shown it.

use std::borrow::Cow;

use pvc_common::api;
use pvc_common::id::VmUuid;
use pvc_common::model::{Vm, VmDetails};
use pvc_common::state::Word;
use pvc_common::zk::Text;
use pvc_domxml::{Description, describe};

use super::snapshot::snapshots;
use super::stats::{NetStats, Stats, whole};

/// What a text that is not there is shown as.
const NOT_AVAILABLE: &str = "N/A";

/// A VM without its definition, and with everything read from that.
pub(super) fn vm(uuid: VmUuid, vm: &Vm) -> api::Vm {
    let snapshots = vm.details.as_deref().map(snapshots).unwrap_or_default();
    api::Vm { snapshots, ..without_snapshots(uuid, vm) }
}

/// The same without its snapshots, which are most of the work.
pub(crate) fn without_snapshots(uuid: VmUuid, vm: &Vm) -> api::Vm {
    let details = vm.details.as_deref();
    let xml = details.and_then(|details| details.xml.get()).map_or("", |xml| xml);
    // What cannot be described is shown with what the tree says of it.
    let described = describe(xml).unwrap_or_default();
    let stats = details.and_then(|details| details.stats.get()).map_or("", |stats| stats.text());
    let stats = Stats::read(stats);
    let meta = meta(vm);
    let (networks, disks) = (networks(&described, &stats), disks(&described, &stats));
    api::Vm {
        name: meta.name,
        uuid: uuid.to_string(),
        state: vm.state.copied().map_or("", Word::text).to_owned(),
        node: vm.node.get().map(Text::encode).unwrap_or_default(),
        last_node: vm.last_node.get().map(Text::encode).unwrap_or_default(),
        migrated: migrated(vm),
        failed_reason: vm.failed_reason.get().cloned().unwrap_or_default(),
        displaced: vm.displaced.get().cloned().flatten().map(|node| node.to_string()),
        node_limit: meta.node_limit,
        node_selector: meta.node_selector,
        node_autostart: vm.autostart.copied().unwrap_or(false),
        migration_method: meta.migration_method,
        migration_max_downtime: meta.migration_max_downtime,
        tags: tags(vm),
        snapshots: Vec::new(),
        description: described.text.unwrap_or_else(|| NOT_AVAILABLE.to_owned()),
        profile: details
            .and_then(|details| details.profile.get().cloned().flatten())
            .unwrap_or_else(|| "None".to_owned()),
        memory: described.memory.unwrap_or_default().0,
        memory_stats: whole(&stats.mem_stats),
        vcpu: described.vcpus.unwrap_or_default().0,
        vcpu_topology: described
            .topology
            .map_or_else(|| NOT_AVAILABLE.to_owned(), |topology| topology.to_string()),
        vcpu_stats: whole(&stats.cpu_stats),
        networks,
        os_type: described.os.kind.unwrap_or_default(),
        arch: described.os.arch.unwrap_or_default(),
        machine: described.os.machine.unwrap_or_default(),
        console: described.console.unwrap_or_default(),
        vnc: details.map(vnc).unwrap_or_default(),
        emulator: described.emulator.unwrap_or_default(),
        features: described.features,
        disks,
        controllers: described
            .controllers
            .into_iter()
            .map(|controller| api::Controller {
                kind: controller.kind,
                model: controller.model.unwrap_or_else(|| NOT_AVAILABLE.to_owned()),
            })
            .collect(),
        xml: String::new(),
    }
}

/// The definition as upstream's clients know it: with single quotes, unless that would change
/// what it says.
pub(crate) fn shown_xml(xml: &str) -> Cow<'_, str> {
    if xml.contains('"') && !xml.contains('\'') {
        Cow::Owned(xml.replace('"', "'"))
    } else {
        Cow::Borrowed(xml)
    }
}

/// Whether a VM that may be running was seen by its node with an interface in a bridge: it has those that
/// it was defined with when it started.
pub(crate) fn runs_in(vm: &Vm, bridge: &str) -> bool {
    let stats = vm.details.as_deref().and_then(|details| details.stats.get());
    let stats = stats.map_or("", |stats| stats.text());
    // What was seen of one that stopped may still be there.
    let may_run = vm.claim.get().is_some();
    may_run
        && stats.contains(bridge)
        && Stats::read(stats).net_stats.iter().any(|seen| seen.bridge == bridge)
}

/// How a VM is placed and moved.
pub(crate) fn meta(vm: &Vm) -> api::VmMeta {
    let limit = vm.node_limit.get().filter(|limit| !limit.is_empty());
    api::VmMeta {
        name: vm.name.get().map(ToString::to_string).unwrap_or_default(),
        node_limit: limit.map(|limit| limit.iter().map(ToString::to_string).collect()),
        node_selector: vm.selector.copied().flatten().map(|word| word.text().to_owned()),
        node_autostart: vm.autostart.copied().unwrap_or(false).encode(),
        migration_method: vm.migration_method.copied().flatten().map(|word| word.text().to_owned()),
        migration_max_downtime: vm.max_downtime_ms.copied().unwrap_or_default(),
    }
}

/// Whether a VM is away, and from where.
fn migrated(vm: &Vm) -> String {
    match vm.last_node.get() {
        Some(Some(home)) => format!("from {home}"),
        Some(None) | None => "no".to_owned(),
    }
}

/// The tags of a VM, by name.
pub(crate) fn tags(vm: &Vm) -> Vec<api::Tag> {
    let tags = vm.details.iter().flat_map(|details| &details.tags);
    tags.map(|(name, tag)| api::Tag {
        name: name.to_string(),
        kind: tag.kind.get().cloned().unwrap_or_default(),
        protected: tag.protected.copied().unwrap_or(false),
    })
    .collect()
}

fn vnc(details: &VmDetails) -> api::VncAddress {
    let address = details.vnc.get().and_then(|text| text.rsplit_once(':'));
    api::VncAddress {
        listen: address.map(|(listen, _)| listen.to_owned()),
        port: address.map(|(_, port)| port.to_owned()),
    }
}

fn networks(described: &Description, stats: &Stats) -> Vec<api::Nic> {
    let mut left: Vec<&NetStats> = stats.net_stats.iter().collect();
    let interfaces = described.networks.iter().map(|interface| {
        // Several interfaces on one bridge are told apart by their order only.
        let at = left.iter().position(|stats| stats.bridge == interface.source);
        let traffic = at.map(|at| left.remove(at).clone()).unwrap_or_default();
        api::Nic {
            kind: interface.kind.clone(),
            vni: interface.vni.clone(),
            mac: interface.mac.clone(),
            source: interface.source.clone(),
            model: interface.model.clone(),
            rd_bytes: traffic.rd_bytes,
            rd_packets: traffic.rd_packets,
            rd_errors: traffic.rd_errors,
            rd_drops: traffic.rd_drops,
            wr_bytes: traffic.wr_bytes,
            wr_packets: traffic.wr_packets,
            wr_errors: traffic.wr_errors,
            wr_drops: traffic.wr_drops,
        }
    });
    interfaces.collect()
}

fn disks(described: &Description, stats: &Stats) -> Vec<api::Disk> {
    let disks = described.disks.iter().map(|disk| {
        let traffic = stats.disk_stats.iter().find(|stats| stats.name == disk.name);
        let traffic = traffic.cloned().unwrap_or_default();
        api::Disk {
            kind: disk.kind.clone(),
            name: disk.name.clone(),
            dev: disk.dev.clone(),
            bus: disk.bus.clone(),
            rd_req: traffic.rd_req,
            rd_bytes: traffic.rd_bytes,
            wr_req: traffic.wr_req,
            wr_bytes: traffic.wr_bytes,
        }
    });
    disks.collect()
}
