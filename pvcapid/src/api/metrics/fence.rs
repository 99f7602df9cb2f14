//! How surely nodes can be fenced, and what became of those that were. Not upstream's.

use std::collections::BTreeMap;
use std::sync::Arc;

use pvc_common::model::Node;
use pvc_common::state::{FencePhase, Word};
use pvc_common::zk::Seen;

use super::health::UNKNOWN;
use super::text::{Labels, Metric, Page, Sample, Subject};
use crate::image::View;

const NODE: &[Metric<Arc<Node>>] = &[
    Metric::new(
        "pvc_node_fenceable",
        "Whether the BMC of a node answers, so that others could switch it off",
        |node| node.liveness.fenceable.get().map(|fenceable| Sample::flag(fenceable.ok)),
    ),
    Metric::new(
        "pvc_node_suspected_by",
        "Number of nodes that do not hear a node though they should",
        |node| Some(Sample::whole(count(node.liveness.suspicions.len()))),
    ),
];

const CLUSTER: &[Metric<u64>] =
    &[Metric::new("pvc_fences_in_progress", "Number of nodes that are being fenced", |count| {
        Some(Sample::whole(*count))
    })];

/// How fences end.
const OUTCOMES: [FencePhase; 2] = [FencePhase::Finished, FencePhase::Withdrawn];

/// Appends them.
pub(super) fn append(page: &mut Page, view: &View) {
    let nodes = view.nodes.iter();
    let nodes: Vec<_> = nodes
        .map(|(name, node)| Subject {
            labels: Labels::of("node", name.as_str()),
            of: Arc::clone(node),
        })
        .collect();
    page.table(NODE, &nodes);
    let running = view.nodes.values().filter(|node| is_there(&node.liveness.fence)).count();
    page.table(CLUSTER, &[Subject { labels: Labels::default(), of: count(running) }]);
    let help = "Number of fences in the history by how they ended";
    page.counts("pvc_fences", help, "outcome", outcomes(view));
}

/// A record that cannot be understood is a fence, too.
fn is_there<T>(record: &Seen<T>) -> bool {
    record.get().is_some() || record.fault().is_some()
}

fn outcomes(view: &View) -> BTreeMap<&'static str, u64> {
    let known = OUTCOMES.map(Word::text).into_iter().chain([UNKNOWN]);
    let mut counts: BTreeMap<_, _> = known.map(|word| (word, 0)).collect();
    for past in view.fences.values() {
        let phase = past.fence.get().map(|fence| fence.phase);
        let outcome = phase.filter(|phase| OUTCOMES.contains(phase)).map_or(UNKNOWN, Word::text);
        *counts.entry(outcome).or_default() += 1;
    }
    counts
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
