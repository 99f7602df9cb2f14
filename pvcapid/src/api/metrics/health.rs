//! How the cluster is: states, health and numbers of its objects.

use std::collections::BTreeMap;

use pvc_common::api::{Health, OsdSummary, Status, StatusDetail};
use pvc_common::state::{DaemonState, DomainState, FaultStatus, VmState, Word};

use super::fence;
use super::text::{Labels, Metric, Page, Sample, Subject};
use crate::api::cluster::summary;
use crate::image::View;

/// The state of what has none that can be understood.
pub(super) const UNKNOWN: &str = "unknown";

const IDENTITY: &[Metric<()>] =
    &[Metric::new("pvc_info", "What the cluster is", |()| Some(Sample::flag(true)))];

const CLUSTER: &[Metric<Status>] = &[
    Metric::new("pvc_cluster_maintenance", "Whether no node is fenced at the moment", |status| {
        Some(Sample::flag(status.maintenance == "true"))
    }),
    Metric::new("pvc_cluster_health", "Health of the cluster in percent", |status| {
        percent(status.cluster_health.health)
    }),
];

const NODE: &[Metric<Health>] =
    &[Metric::new("pvc_node_health", "Health of a node in percent", |health| percent(*health))];

const NUMBERS: &[Metric<Status>] = &[
    Metric::new("pvc_nodes", "Number of nodes", |status| Some(Sample::whole(status.nodes.total))),
    Metric::new("pvc_vms", "Number of VMs", |status| Some(Sample::whole(status.vms.total))),
    Metric::new("pvc_osds", "Number of OSDs", |status| Some(Sample::whole(status.osds.total))),
    Metric::new("pvc_networks", "Number of client networks", |status| {
        Some(Sample::whole(status.networks))
    }),
    Metric::new("pvc_pools", "Number of pools", |status| Some(Sample::whole(status.pools))),
    Metric::new("pvc_volumes", "Number of volumes", |status| Some(Sample::whole(status.volumes))),
    Metric::new("pvc_snapshots", "Number of snapshots of volumes", |status| {
        Some(Sample::whole(status.snapshots))
    }),
];

/// The page.
pub(super) fn page(view: &View) -> String {
    let status = summary::status(view);
    let identity = Labels::of("primary_node", &status.primary_node)
        .and("version", &status.pvc_version)
        .and("upstream_ip", &status.upstream_ip);
    let nodes = status.node_health.iter();
    let nodes: Vec<_> = nodes
        .map(|(name, node)| Subject { labels: Labels::of("node", name), of: node.health })
        .collect();
    let status = [Subject { labels: Labels::default(), of: status }];
    let detail = &status[0].of.detail;
    let mut page = Page::default();
    page.table(IDENTITY, &[Subject { labels: identity, of: () }]);
    page.table(CLUSTER, &status);
    faults(&mut page, detail);
    page.table(NODE, &nodes);
    node_states(&mut page, detail);
    vm_states(&mut page, detail);
    osd_states(&mut page, detail);
    page.table(NUMBERS, &status);
    fence::append(&mut page, view);
    page.finish()
}

/// Whole percent; nothing where nobody has checked.
fn percent(health: Health) -> Option<Sample<'static>> {
    match health {
        Health::Percent(percent) => Some(Sample::whole(u64::try_from(percent).unwrap_or(0))),
        Health::Unknown => None,
    }
}

/// How many are in each state of a vocabulary, those that nothing is in included.
///
/// A state that is no word of it counts as unknown, so the sum is always that of all.
fn counted<'a, W: Word>(states: impl Iterator<Item = &'a str>) -> BTreeMap<&'static str, u64> {
    let known = W::ALL.iter().map(|word| word.text());
    let mut counts: BTreeMap<_, _> = known.chain([UNKNOWN]).map(|word| (word, 0)).collect();
    for state in states {
        let state = W::parse(state).map_or(UNKNOWN, Word::text);
        *counts.entry(state).or_default() += 1;
    }
    counts
}

fn faults(page: &mut Page, detail: &StatusDetail) {
    let states = detail.faults.iter().map(|fault| fault.status.as_str());
    let help = "Number of faults by whether somebody has taken note";
    page.counts("pvc_cluster_faults", help, "status", counted::<FaultStatus>(states));
}

fn node_states(page: &mut Page, detail: &StatusDetail) {
    let states = detail.node.iter().map(|node| node.daemon_state.as_str());
    let help = "Number of nodes by the state of their daemon";
    page.counts("pvc_node_daemon_states", help, "state", counted::<DaemonState>(states));
    let states = detail.node.iter().map(|node| node.domain_state.as_str());
    let help = "Number of nodes by whether they take VMs";
    page.counts("pvc_node_domain_states", help, "state", counted::<DomainState>(states));
}

fn vm_states(page: &mut Page, detail: &StatusDetail) {
    let states = detail.vm.iter().map(|vm| vm.state.as_str());
    let help = "Number of VMs by state";
    page.counts("pvc_vm_states", help, "state", counted::<VmState>(states));
}

fn osd_states(page: &mut Page, detail: &StatusDetail) {
    let count = |of: fn(&OsdSummary) -> &str, states: [&'static str; 3]| {
        let holds = |state| detail.osd.iter().filter(|osd| of(osd) == state).count();
        states.map(|state| (state, u64::try_from(holds(state)).unwrap_or(u64::MAX)))
    };
    let help = "Number of OSDs by whether they run";
    let counts = count(|osd| &osd.up, ["up", "down", UNKNOWN]);
    page.counts("pvc_ceph_osd_up_states", help, "state", counts);
    let help = "Number of OSDs by whether data is kept on them";
    let counts = count(|osd| &osd.is_in, ["in", "out", UNKNOWN]);
    page.counts("pvc_ceph_osd_in_states", help, "state", counts);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_counted_and_none_is_lost() {
        let states = ["start", "start", "migrate-live", "delete", "paused", ""];
        let counts = counted::<VmState>(states.into_iter());
        assert_eq!((counts["start"], counts["migrate-live"], counts["delete"]), (2, 1, 1));
        assert_eq!((counts["stop"], counts[UNKNOWN]), (0, 2));
        assert_eq!(counts.len(), VmState::ALL.len() + 1);
    }

    #[test]
    fn a_node_that_nobody_checked_has_no_health() {
        assert!(percent(Health::Unknown).is_none());
        assert!(percent(Health::Percent(-5)).is_some());
    }
}
