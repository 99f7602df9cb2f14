//! What the cluster as a whole uses, in percent of what it has.

use pvc_common::api::Node;

use super::node::Links;
use super::text::{Metric, Sample};
use crate::api::cluster::summary::{self, percent};
use crate::image::View;

/// Metrics of the cluster.
pub(super) const METRICS: &[Metric<Utilization>] = &[
    Metric::new(
        "pvc_cluster_cpu_utilization",
        "Load of all nodes in percent of their processors",
        |sum| Some(Sample::percent(sum.cpu)),
    ),
    Metric::new(
        "pvc_cluster_network_utilization",
        "Traffic of all nodes in the busier direction in percent of the speed of their links",
        |sum| Some(Sample::percent(sum.network)),
    ),
    Metric::new(
        "pvc_cluster_memory_real_utilization",
        "Used memory in percent of that of all nodes but the largest",
        |sum| Some(Sample::percent(sum.memory_used)),
    ),
    Metric::new(
        "pvc_cluster_memory_allocated_utilization",
        "Memory of running VMs in percent of that of all nodes but the largest",
        |sum| Some(Sample::percent(sum.memory_allocated)),
    ),
    Metric::new(
        "pvc_cluster_memory_provisioned_utilization",
        "Memory of all VMs in percent of that of all nodes but the largest",
        |sum| Some(Sample::percent(sum.memory_provisioned)),
    ),
    Metric::new("pvc_cluster_disk_utilization", "Mean utilization of the OSDs in percent", |sum| {
        Some(Sample::percent(sum.disk))
    }),
];

/// What the cluster uses, in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Utilization {
    cpu: f64,
    network: f64,
    memory_used: f64,
    memory_allocated: f64,
    memory_provisioned: f64,
    disk: f64,
}

impl Utilization {
    /// Sums up the cluster, whose nodes are also given as they are shown.
    #[expect(clippy::cast_precision_loss, reason = "only for percentages; 2^53 MiB is 8 ZiB")]
    pub(super) fn of<'a>(view: &View, nodes: impl Iterator<Item = &'a Node> + Clone) -> Self {
        let resources = summary::resources(view);
        let memory = resources.memory;
        let capacity = spared(nodes.clone().map(|node| node.memory.total)) as f64;
        Self {
            cpu: resources.cpu.utilization,
            network: nodes.map(|node| Links::of(&node.interfaces)).sum::<Links>().utilization(),
            memory_used: percent(memory.used as f64, capacity),
            memory_allocated: percent(memory.allocated as f64, capacity),
            memory_provisioned: percent(memory.provisioned as f64, capacity),
            disk: resources.disk.utilization,
        }
    }
}

/// What is left when the largest node is lost. A single node has nobody to spare it for.
fn spared(sizes: impl Iterator<Item = u64> + Clone) -> u64 {
    let all: u64 = sizes.clone().sum();
    let left = all - sizes.max().unwrap_or_default();
    if left == 0 { all } else { left }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_measured_as_if_the_largest_node_were_lost() {
        for (sizes, left) in [
            (vec![64, 64, 64], 128),
            (vec![32, 64, 128], 96),
            (vec![64], 64),
            (vec![64, 0], 64),
            (vec![], 0),
        ] {
            assert_eq!(spared(sizes.iter().copied()), left, "{sizes:?}");
        }
    }
}
