//! What concerns a node's death, as clients are shown it.

use std::collections::BTreeMap;

use pvc_common::api;
use pvc_common::id::VmUuid;
use pvc_common::model::{Fence, FenceLease, Fenceable, NodeDetails};
use pvc_common::state::Word;
use serde_json::Value;

use super::View;

/// A fence, with the names that its VMs have now.
pub(crate) fn fence(fence: &Fence, view: &View) -> api::Fence {
    let name = |uuid: &VmUuid| {
        let name = view.vm(*uuid)?.name().to_owned();
        (!name.is_empty()).then_some(name)
    };
    let evidence = fence.evidence.iter().map(|evidence| api::Evidence {
        kind: evidence.kind.text().to_owned(),
        verdict: evidence.verdict.text().to_owned(),
        detail: evidence.detail.clone(),
        at_ms: evidence.at_ms,
    });
    let moved = fence.moved.iter().map(|moved| api::MovedVm {
        vm: moved.vm.to_string(),
        name: name(&moved.vm),
        to: moved.to.to_string(),
    });
    let waiting =
        fence.waiting.iter().map(|vm| api::WaitingVm { vm: vm.to_string(), name: name(vm) });
    api::Fence {
        id: fence.id.to_string(),
        node: fence.node.to_string(),
        by: fence.by.to_string(),
        phase: fence.phase.text().to_owned(),
        why: fence.why.clone(),
        boot: fence.boot.clone(),
        power_cut: fence.power_cut,
        suspected_ms: fence.suspected_ms,
        condemned_ms: fence.condemned_ms,
        proved_ms: fence.proved_ms,
        finished_ms: fence.finished_ms,
        evidence: evidence.collect(),
        moved: moved.collect(),
        waiting: waiting.collect(),
    }
}

/// Every fence, under way or over, the newest first.
///
/// A record that cannot be understood is left out; the daemon's log names it.
pub(crate) fn fences(view: &View) -> Vec<api::Fence> {
    let running = view.nodes.values().filter_map(|node| node.liveness.fence.get());
    let over = view.fences.values().filter_map(|past| past.fence.get());
    // By id, for a fence that ends is for a moment in both places, and its history is right.
    let all: BTreeMap<_, _> = running.chain(over).map(|fence| (&fence.id, fence)).collect();
    let mut all: Vec<&Fence> = all.into_values().collect();
    all.sort_by(|a, b| (b.condemned_ms, &b.id).cmp(&(a.condemned_ms, &a.id)));
    all.into_iter().map(|one| fence(one, view)).collect()
}

pub(super) fn fenceable(fenceable: &Fenceable) -> api::Fenceable {
    api::Fenceable { ok: fenceable.ok, message: fenceable.message.clone() }
}

pub(super) fn lease(lease: &FenceLease) -> api::Lease {
    api::Lease {
        kind: lease.kind.text().to_owned(),
        ms: lease.ms,
        voters: lease.voters.iter().map(ToString::to_string).collect(),
    }
}

/// What the node hears, by peer; one that is described oddly is left out.
pub(super) fn hears(details: &NodeDetails) -> BTreeMap<String, api::Heard> {
    let json = details.hears.get().map_or("", |json| json.text());
    let all: BTreeMap<String, Value> = serde_json::from_str(json).unwrap_or_default();
    let understood = all
        .into_iter()
        .filter_map(|(name, value)| Some((name, serde_json::from_value(value).ok()?)));
    understood.collect()
}
