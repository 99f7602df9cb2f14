//! Summing up the cluster.

use std::collections::BTreeMap;

use pvc_common::api::{
    ClusterHealth, CpuResources, Health, HealthMessage, MemoryResources, NodeHealth, NodeSummary,
    OsdSummary, Resources, StateCounts, Status, StatusDetail, VmSummary,
};
use pvc_common::id::NodeName;
use pvc_common::model::Node;
use pvc_common::state::{DaemonState, DomainState, VmState, Word};
use pvc_common::zk::Text;

use super::storage;
use crate::api::fault::shown::{by_time, faults};
use crate::image::{Concern, View, checks, concern, health, of_node, storage_concerns};

/// The whole summary.
pub(in crate::api) fn status(view: &View) -> Status {
    let cluster = &view.cluster;
    let primary = cluster.primary_node.get().and_then(Option::as_ref);
    let version = primary.and_then(|name| view.nodes.get(name)?.pvc_version.get().cloned());
    let detail = detail(view);
    Status {
        cluster_name: cluster.name.get().cloned().unwrap_or_default(),
        cluster_health: cluster_health(view, &detail),
        node_health: node_health(view),
        maintenance: cluster.maintenance.get().cloned().unwrap_or_default(),
        primary_node: primary.map_or_else(|| "none".to_owned(), ToString::to_string),
        pvc_version: version.unwrap_or_default(),
        upstream_ip: cluster.upstream_ip.get().cloned().unwrap_or_default(),
        nodes: node_counts(&detail),
        vms: vm_counts(&detail),
        networks: count(view.networks.len()),
        osds: osd_counts(&detail),
        pools: count(view.pools.len()),
        volumes: count(view.volumes.len()),
        snapshots: count(view.snapshots.len()),
        resources: resources(view),
        detail,
    }
}

/// What the nodes have and use, in sum.
pub(in crate::api) fn resources(view: &View) -> Resources {
    Resources { memory: memory(view), cpu: processors(view), disk: storage::disk(view) }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Percent with two decimals, as upstream gives them.
pub(in crate::api) fn percent(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole * 10_000.0).round() / 100.0 } else { 0.0 }
}

fn detail(view: &View) -> StatusDetail {
    let node = view.nodes.iter().map(|(name, node)| NodeSummary {
        name: name.to_string(),
        daemon_state: node.daemon_state.copied().map_or("", Word::text).to_owned(),
        domain_state: node.domain_state.copied().map_or("", Word::text).to_owned(),
    });
    let vm = view.vms_by_name().iter().map(|shown| VmSummary {
        uuid: shown.uuid().to_string(),
        name: shown.name().to_owned(),
        state: shown.vm().state.copied().map_or("", Word::text).to_owned(),
    });
    StatusDetail {
        node: node.collect(),
        vm: vm.collect(),
        osd: storage::osds(view),
        faults: faults(view),
    }
}

/// Faults that nobody has acknowledged lower the health, and what concerns the nodes and the storage
/// while it lasts, unless there is a fault of it; the gravest and latest come first, and at the same
/// weight what lasts.
fn cluster_health(view: &View, detail: &StatusDetail) -> ClusterHealth {
    let mut new: Vec<_> = detail.faults.iter().filter(|fault| fault.status != "ack").collect();
    new.sort_by(|a, b| by_time(&b.last_reported, &a.last_reported));
    let faults = new.into_iter().map(|fault| HealthMessage {
        id: fault.id.clone(),
        health_delta: fault.health_delta,
        text: fault.message.clone(),
    });
    let fencing = view.nodes.iter().filter_map(|(name, node)| concern(name, node));
    let found = view.nodes.iter().flat_map(|(name, node)| checks(name, node));
    let is_new = |concern: &Concern| detail.faults.iter().all(|fault| fault.id != concern.id);
    let concerns =
        fencing.chain(found).chain(storage_concerns(view)).filter(is_new).map(|concern| {
            HealthMessage { id: concern.id, health_delta: concern.delta.into(), text: concern.text }
        });
    let mut messages: Vec<_> = concerns.chain(faults).collect();
    messages.sort_by_key(|message| std::cmp::Reverse(message.health_delta));
    let lost: i64 = messages.iter().map(|message| message.health_delta).sum();
    ClusterHealth { health: Health::Percent((100 - lost).max(0)), messages }
}

fn node_health(view: &View) -> BTreeMap<String, NodeHealth> {
    let shown = view.nodes.iter().map(|(name, node)| {
        (
            name.to_string(),
            NodeHealth { health: health(view, name, node), messages: complaints(view, name, node) },
        )
    });
    shown.collect()
}

/// What the checks of a node found that lowers its health, and what concerns it now.
fn complaints(view: &View, name: &NodeName, node: &Node) -> Vec<String> {
    let results = node.details.iter().flat_map(|details| &details.results);
    let complaints = results.filter_map(|(check, result)| {
        result.health_delta.copied().filter(|delta| *delta > 0)?;
        Some(format!("'{check}': {}", result.message.get()?))
    });
    let concerns =
        of_node(view, name, node).map(|(check, concern)| format!("'{check}': {}", concern.text));
    complaints.chain(concerns).collect()
}

fn counted(states: impl Iterator<Item = String>, known: &[String]) -> StateCounts {
    let mut counts = StateCounts::default();
    for state in states {
        counts.total += 1;
        if known.contains(&state) {
            *counts.states.entry(state).or_default() += 1;
        }
    }
    counts
}

fn node_counts(detail: &StatusDetail) -> StateCounts {
    let mut known = vec!["dead,fence-flush".to_owned()];
    for daemon in DaemonState::ALL {
        for domain in DomainState::ALL.iter().filter(|state| **state != DomainState::FenceFlush) {
            known.push(format!("{},{}", daemon.text(), domain.text()));
        }
    }
    let states = detail.node.iter();
    counted(states.map(|node| format!("{},{}", node.daemon_state, node.domain_state)), &known)
}

fn vm_counts(detail: &StatusDetail) -> StateCounts {
    let known: Vec<String> = VmState::ALL.iter().map(Text::encode).collect();
    counted(detail.vm.iter().map(|vm| vm.state.clone()), &known)
}

fn osd_counts(detail: &StatusDetail) -> StateCounts {
    let known = ["up,in", "up,out", "down,in", "down,out", storage::UNKNOWN].map(str::to_owned);
    let state = |osd: &OsdSummary| match (&*osd.up, &*osd.is_in) {
        (storage::UNKNOWN, _) | (_, storage::UNKNOWN) => storage::UNKNOWN.to_owned(),
        (up, is_in) => format!("{up},{is_in}"),
    };
    counted(detail.osd.iter().map(state), &known)
}

#[expect(clippy::cast_precision_loss, reason = "only for percentages; 2^53 MiB is 8 ZiB")]
fn memory(view: &View) -> MemoryResources {
    let mut sum = MemoryResources::default();
    for node in view.nodes.values() {
        sum.total += node.mem_total.copied().unwrap_or_default().0;
        sum.free += node.mem_free.copied().unwrap_or_default().0;
        sum.used += node.mem_used.copied().unwrap_or_default().0;
        sum.allocated += node.mem_alloc.copied().unwrap_or_default().0;
        sum.provisioned += node.mem_prov.copied().unwrap_or_default().0;
    }
    sum.utilization = percent(sum.used as f64, sum.total as f64);
    sum
}

#[expect(clippy::cast_precision_loss, reason = "only for percentages")]
fn processors(view: &View) -> CpuResources {
    let mut sum = CpuResources::default();
    for node in view.nodes.values() {
        sum.total += u64::from(node.static_data.get().map_or(0, |facts| facts.cpu_count));
        sum.load += node.cpu_load.copied().unwrap_or_default();
        sum.allocated += u64::from(node.vcpu_alloc.copied().unwrap_or_default().0);
    }
    sum.load = (sum.load * 100.0).round() / 100.0;
    sum.utilization = percent(sum.load, sum.total as f64);
    sum
}
