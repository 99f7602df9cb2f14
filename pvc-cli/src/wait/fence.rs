//! When a node is fenced.
//!
//! ```text
//!   ordered ──▶ proving ──▶ recovering ──▶ finished    done
//!      │           └──▶ withdrawn                      failed: it is alive
//!      └── BEGIN_LIMIT passes                          failed: never begun
//! ```
//!
//! Proving has no limit: a node that cannot be proved dead waits for a person, and the progress
//! says what is lacking.

use std::collections::BTreeSet;
use std::time::Duration;

use pvc_client::{Request, call};
use pvc_common::api;
use pvc_common::state::{FencePhase, Verdict as Proof, Word};

use super::{BEGIN_LIMIT, Goal, Verdict};

/// Waits for the end of the fence that was ordered.
#[derive(Debug)]
pub(crate) struct FenceGoal {
    node: String,
    /// Fences that were over before.
    past: BTreeSet<String>,
}

impl FenceGoal {
    /// The node shall be fenced; `known` are the fences that there were before the order.
    pub(crate) fn new(node: &str, known: &[api::Fence]) -> Self {
        let is_over = |fence: &&api::Fence| match FencePhase::parse(&fence.phase) {
            Ok(FencePhase::Finished | FencePhase::Withdrawn) => true,
            Ok(FencePhase::Proving | FencePhase::Recovering) | Err(_) => false,
        };
        let past = known.iter().filter(is_over).map(|fence| fence.id.clone());
        Self { node: node.to_owned(), past: past.collect() }
    }

    fn not_begun(&self, elapsed: Duration) -> Verdict {
        let node = &self.node;
        if elapsed > BEGIN_LIMIT {
            return Verdict::Failed(format!(
                "No coordinator has begun to fence node {node} within {} s.",
                elapsed.as_secs()
            ));
        }
        Verdict::Waiting(format!("{node}: ordered, waiting for a coordinator"))
    }
}

fn judge(fence: &api::Fence) -> Verdict {
    let node = &fence.node;
    match FencePhase::parse(&fence.phase) {
        Ok(FencePhase::Finished) => Verdict::Done(format!(
            "Node {node} is fenced, proved by {}: {}.",
            proofs(fence),
            vms(fence)
        )),
        Ok(FencePhase::Withdrawn) => {
            Verdict::Failed(format!("Node {node} was not fenced: it is alive after all."))
        }
        Ok(FencePhase::Proving) => Verdict::Waiting(format!("{node}: proving{}", failures(fence))),
        Ok(FencePhase::Recovering) => Verdict::Waiting(format!(
            "{node}: recovering, proved by {}: {}",
            proofs(fence),
            vms(fence)
        )),
        Err(_) => Verdict::Waiting(format!("{node}: {}", fence.phase)),
    }
}

/// By what its death is proved, such as `ipmi, storage`.
pub(crate) fn proofs(fence: &api::Fence) -> String {
    let proved = fence.evidence.iter().filter(|one| one.verdict == Proof::Proved.text());
    let kinds: Vec<&str> = proved.map(|one| one.kind.as_str()).collect();
    if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") }
}

fn failures(fence: &api::Fence) -> String {
    let failed = fence.evidence.iter().filter(|one| one.verdict != Proof::Proved.text());
    failed.map(|one| format!(", {} {}: {}", one.kind, one.verdict, one.detail)).collect()
}

fn vms(fence: &api::Fence) -> String {
    let moved = match fence.moved.len() {
        1 => "1 VM moved".to_owned(),
        count => format!("{count} VMs moved"),
    };
    match fence.waiting.len() {
        0 => moved,
        1 => format!("{moved}, 1 waits for a node"),
        count => format!("{moved}, {count} wait for a node"),
    }
}

impl Goal for FenceGoal {
    type Seen = Vec<api::Fence>;

    fn request(&self) -> Request {
        call::node::fences(Some(&self.node), None)
    }

    fn judge(&mut self, seen: &Vec<api::Fence>, elapsed: Duration) -> Verdict {
        let ours = seen.iter().find(|fence| !self.past.contains(&fence.id));
        ours.map_or_else(|| self.not_begun(elapsed), judge)
    }

    fn judge_missing(&mut self) -> Verdict {
        Verdict::Failed("This API knows of no fences.".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fence(id: &str, phase: &str) -> api::Fence {
        serde_json::from_value(json!({
            "id": id, "node": "hv3", "by": "hv1", "phase": phase, "suspected_ms": 1,
            "condemned_ms": 2,
            "evidence": [
                {"kind": "ipmi", "verdict": "failed", "detail": "no answer", "at_ms": 3},
                {"kind": "watchdog", "verdict": "proved", "detail": "", "at_ms": 4}],
            "moved": [{"vm": "u", "to": "hv2"}], "waiting": [{"vm": "v"}, {"vm": "w"}],
        }))
        .unwrap()
    }

    fn verdict(seen: &[api::Fence], elapsed: Duration) -> Verdict {
        let mut goal = FenceGoal::new("hv3", &[fence("hv3-1", "finished")]);
        goal.judge(&seen.to_vec(), elapsed)
    }

    #[test]
    fn a_fence_is_followed_to_its_end() {
        for (phase, expected) in [
            ("proving", Verdict::Waiting("hv3: proving, ipmi failed: no answer".into())),
            (
                "recovering",
                Verdict::Waiting(
                    "hv3: recovering, proved by watchdog: 1 VM moved, 2 wait for a node".into(),
                ),
            ),
            (
                "finished",
                Verdict::Done(
                    "Node hv3 is fenced, proved by watchdog: 1 VM moved, 2 wait for a node.".into(),
                ),
            ),
            (
                "withdrawn",
                Verdict::Failed("Node hv3 was not fenced: it is alive after all.".into()),
            ),
        ] {
            let seen = [fence("hv3-2", phase), fence("hv3-1", "finished")];
            assert_eq!(verdict(&seen, Duration::ZERO), expected);
        }
    }

    #[test]
    fn an_earlier_fence_is_not_taken_for_the_one_that_was_ordered() {
        let earlier = [fence("hv3-1", "finished")];
        assert!(matches!(verdict(&earlier, Duration::ZERO), Verdict::Waiting(_)));
        assert!(matches!(verdict(&earlier, BEGIN_LIMIT * 2), Verdict::Failed(_)));
    }

    #[test]
    fn a_fence_that_was_under_way_already_is_the_one_to_wait_for() {
        let mut goal = FenceGoal::new("hv3", &[fence("hv3-2", "proving")]);
        let seen = vec![fence("hv3-2", "finished")];
        assert!(matches!(goal.judge(&seen, Duration::ZERO), Verdict::Done(_)));
    }
}
