//! What the cluster, its nodes, VMs, networks and storage have and use.

use super::text::{Labels, Page, Subject};
use super::{attached, cluster, network, node, osd, pool, vm};
use crate::image::{View, node as shown_node};

/// The page.
pub(super) fn page(view: &View) -> String {
    let nodes: Vec<_> = view
        .nodes
        .iter()
        .map(|(name, seen)| {
            let labels = Labels::of("node", name.as_str());
            Subject { labels, of: shown_node(name, seen, view) }
        })
        .collect();
    let vms = vm::subjects(view);
    let sum = cluster::Utilization::of(view, nodes.iter().map(|node| &node.of));
    let mut page = Page::default();
    page.table(cluster::METRICS, &[Subject { labels: Labels::default(), of: sum }]);
    page.table(node::METRICS, &nodes);
    page.table(vm::METRICS, &vms);
    page.table(attached::NIC_METRICS, &attached::nics(&vms));
    page.table(attached::DISK_METRICS, &attached::disks(&vms));
    page.table(network::METRICS, &network::subjects(view));
    page.table(osd::METRICS, &osd::subjects(view));
    page.table(pool::METRICS, &pool::subjects(view));
    page.finish()
}
