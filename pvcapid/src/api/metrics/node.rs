//! What a node has and uses.

use std::collections::BTreeMap;
use std::iter::Sum;

use pvc_common::api::{Node, NodeInterface};
use serde_json::Number;

use super::text::{Metric, Sample};
use crate::api::cluster::summary::percent;

/// Metrics of a node. Memory is in MiB, as everywhere in the API.
pub(super) const METRICS: &[Metric<Node>] = &[
    Metric::new("pvc_node_host_cpus", "Logical processors of a node", |node| {
        Some(Sample::whole(node.vcpu.total))
    }),
    Metric::new(
        "pvc_node_allocated_vcpus",
        "Virtual processors of the VMs that run on a node",
        |node| Some(Sample::whole(node.vcpu.allocated)),
    ),
    Metric::new("pvc_node_load_average", "Load average of a node in the last minute", |node| {
        Some(Sample::real(node.load))
    }),
    Metric::new(
        "pvc_node_cpu_utilization",
        "Load average of a node in percent of its processors",
        |node| Some(Sample::percent(percent(node.load, node.vcpu.total.into()))),
    ),
    Metric::new("pvc_node_domains_count", "Number of VMs that run on a node", |node| {
        Some(Sample::whole(node.domains_count))
    }),
    Metric::new("pvc_node_architecture", "Architecture of a node", |node| {
        Some(Sample::text("architecture", &node.arch))
    }),
    Metric::new("pvc_node_kernel", "Kernel release of a node", |node| {
        Some(Sample::text("kernel", &node.kernel))
    }),
    Metric::new("pvc_node_network_traffic_rx", "Bits per second that a node receives", |node| {
        Some(Sample::real(sum(node, |link| &link.rx_bps)))
    }),
    Metric::new("pvc_node_network_traffic_tx", "Bits per second that a node sends", |node| {
        Some(Sample::real(sum(node, |link| &link.tx_bps)))
    }),
    Metric::new("pvc_node_network_packets_rx", "Packets per second that a node receives", |node| {
        Some(Sample::real(sum(node, |link| &link.rx_pps)))
    }),
    Metric::new("pvc_node_network_packets_tx", "Packets per second that a node sends", |node| {
        Some(Sample::real(sum(node, |link| &link.tx_pps)))
    }),
    Metric::new(
        "pvc_node_network_utilization",
        "Traffic of a node in the busier direction in percent of the speed of its links",
        |node| Some(Sample::percent(Links::of(&node.interfaces).utilization())),
    ),
    Metric::new("pvc_node_total_memory", "Memory of a node in MiB", |node| {
        Some(Sample::whole(node.memory.total))
    }),
    Metric::new(
        "pvc_node_allocated_memory",
        "Memory of the VMs that run on a node in MiB",
        |node| Some(Sample::whole(node.memory.allocated)),
    ),
    Metric::new(
        "pvc_node_allocated_memory_utilization",
        "Memory of the VMs that run on a node in percent of its memory",
        |node| Some(share(node, node.memory.allocated)),
    ),
    Metric::new(
        "pvc_node_provisioned_memory",
        "Memory of all VMs that belong to a node in MiB",
        |node| Some(Sample::whole(node.memory.provisioned)),
    ),
    Metric::new(
        "pvc_node_provisioned_memory_utilization",
        "Memory of all VMs that belong to a node in percent of its memory",
        |node| Some(share(node, node.memory.provisioned)),
    ),
    Metric::new("pvc_node_used_memory", "Used memory of a node in MiB", |node| {
        Some(Sample::whole(node.memory.used))
    }),
    Metric::new(
        "pvc_node_used_memory_utilization",
        "Used memory of a node in percent of its memory",
        |node| Some(share(node, node.memory.used)),
    ),
    Metric::new("pvc_node_free_memory", "Available memory of a node in MiB", |node| {
        Some(Sample::whole(node.memory.free))
    }),
];

#[expect(clippy::cast_precision_loss, reason = "only for percentages; 2^53 MiB is 8 ZiB")]
fn share(node: &Node, part: u64) -> Sample<'static> {
    Sample::percent(percent(part as f64, node.memory.total as f64))
}

fn sum(node: &Node, figure: fn(&NodeInterface) -> &Number) -> f64 {
    node.interfaces.values().map(|link| real(figure(link))).sum()
}

fn real(number: &Number) -> f64 {
    number.as_f64().unwrap_or_default()
}

/// The links whose speed is known, in bits per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Links {
    /// Traffic of each link in its busier direction: a link is full when one direction is.
    busier: f64,
    speed: f64,
}

impl Links {
    /// Those of a node that are up.
    pub(super) fn of(links: &BTreeMap<String, NodeInterface>) -> Self {
        let up = links.values().filter(|link| link.state == "up");
        let known = up.filter(|link| real(&link.link_speed) > 0.0);
        known
            .map(|link| Self {
                busier: real(&link.rx_bps).max(real(&link.tx_bps)),
                speed: real(&link.link_speed),
            })
            .sum()
    }

    /// Percent.
    pub(super) fn utilization(self) -> f64 {
        percent(self.busier, self.speed)
    }
}

impl Sum for Links {
    fn sum<I: Iterator<Item = Self>>(links: I) -> Self {
        links.fold(Self::default(), |sum, link| Self {
            busier: sum.busier + link.busier,
            speed: sum.speed + link.speed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(rx_bps: u64, tx_bps: u64, link_speed: i64, state: &str) -> NodeInterface {
        NodeInterface {
            rx_bps: rx_bps.into(),
            rx_pps: 1.into(),
            tx_bps: tx_bps.into(),
            tx_pps: 1.into(),
            total_bps: (rx_bps + tx_bps).into(),
            total_pps: 2.into(),
            link_speed: link_speed.into(),
            state: state.to_owned(),
        }
    }

    fn utilization(links: Vec<NodeInterface>) -> f64 {
        let named = (0..).map(|at: u32| format!("ens{at}")).zip(links);
        Links::of(&named.collect()).utilization()
    }

    #[test]
    fn a_link_is_full_when_one_direction_is() {
        let links = vec![link(1000, 10, 1000, "up"), link(0, 500, 1000, "up")];
        assert_eq!(Number::from_f64(utilization(links)), Number::from_f64(75.0));
    }

    #[test]
    fn links_that_are_down_or_of_unknown_speed_are_not_measured() {
        let links = vec![link(9, 9, 0, "up"), link(9, 9, -1, "up"), link(0, 0, 1000, "down")];
        assert_eq!(Number::from_f64(utilization(links)), Number::from_f64(0.0));
    }
}
