//! When a node is where it was sent.
//!
//! ```text
//!   initial ──▶ transitional ──▶ goal      done
//!      │             └──▶ anything else    failed: undone
//!      └── BEGIN_LIMIT passes              failed: never begun
//! ```

use std::time::Duration;

use pvc_client::{Request, call};
use pvc_common::api;

use super::{BEGIN_LIMIT, Goal, Nodes, Verdict, only};

/// Where a node was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To be the primary coordinator.
    Primary,
    /// To be a secondary coordinator.
    Secondary,
    /// Out of service.
    Flushed,
    /// Back in service.
    Ready,
}

impl Destination {
    /// The state on the way, and the state at the end.
    const fn states(self) -> (&'static str, &'static str) {
        match self {
            Self::Primary => ("takeover", "primary"),
            Self::Secondary => ("relinquish", "secondary"),
            Self::Flushed => ("flush", "flushed"),
            Self::Ready => ("unflush", "ready"),
        }
    }

    fn state_of(self, node: &api::Node) -> &str {
        match self {
            Self::Primary | Self::Secondary => &node.coordinator_state,
            Self::Flushed | Self::Ready => &node.domain_state,
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Primary => "is the primary coordinator",
            Self::Secondary => "is a secondary coordinator",
            Self::Flushed => "is out of service",
            Self::Ready => "is in service",
        }
    }
}

/// Waits for one node.
#[derive(Debug)]
pub(crate) struct NodeGoal {
    node: String,
    destination: Destination,
    begun: bool,
}

impl NodeGoal {
    fn new(node: &str, destination: Destination) -> Self {
        Self { node: node.to_owned(), destination, begun: false }
    }

    /// The node shall become the primary coordinator.
    pub(crate) fn primary(node: &str) -> Self {
        Self::new(node, Destination::Primary)
    }

    /// The node shall become a secondary coordinator.
    pub(crate) fn secondary(node: &str) -> Self {
        Self::new(node, Destination::Secondary)
    }

    /// The node shall be emptied.
    pub(crate) fn flushed(node: &str) -> Self {
        Self::new(node, Destination::Flushed)
    }

    /// The node shall take VMs again.
    pub(crate) fn ready(node: &str) -> Self {
        Self::new(node, Destination::Ready)
    }

    fn judge_node(&mut self, node: &api::Node, elapsed: Duration) -> Verdict {
        let (transitional, goal) = self.destination.states();
        let name = &node.name;
        let state = self.destination.state_of(node);
        if state == goal {
            return Verdict::Done(format!("Node {name} {}.", self.destination.done()));
        }
        if node.daemon_state != "run" {
            return Verdict::Failed(format!(
                "Node {name} cannot become {goal}: its daemon is in state {}.",
                node.daemon_state
            ));
        }
        if state == transitional {
            self.begun = true;
            let vms = match node.domains_count {
                1 => "1 VM".to_owned(),
                count => format!("{count} VMs"),
            };
            return Verdict::Waiting(match self.destination {
                Destination::Primary | Destination::Secondary => format!("{name}: {state}"),
                Destination::Flushed => format!("{name}: {state}, {vms} left"),
                Destination::Ready => format!("{name}: {state}, {vms} there"),
            });
        }
        if self.begun {
            return Verdict::Failed(format!(
                "Node {name} did not become {goal}: it was set to {state} meanwhile."
            ));
        }
        if elapsed > BEGIN_LIMIT {
            return Verdict::Failed(format!(
                "Node {name} is still {state}: nothing happened for {} s.",
                elapsed.as_secs()
            ));
        }
        Verdict::Waiting(format!("{name}: {state}, waiting for it to begin"))
    }
}

impl Goal for NodeGoal {
    type Seen = Nodes;

    fn request(&self) -> Request {
        call::node::info(&self.node)
    }

    fn judge(&mut self, seen: &Nodes, elapsed: Duration) -> Verdict {
        match only(seen) {
            Some(node) => self.judge_node(node, elapsed),
            None => self.judge_missing(),
        }
    }

    fn judge_missing(&mut self) -> Verdict {
        Verdict::Failed(format!("Node {} is gone.", self.node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(coordinator: &str, domain: &str, daemon: &str) -> api::Node {
        serde_json::from_value(json!({
            "name": "hv1", "daemon_state": daemon, "coordinator_state": coordinator,
            "domain_state": domain, "cpu_count": 1, "kernel": "", "os": "", "arch": "",
            "load": 0.0, "domains_count": 2, "vcpu": {"total": 1, "allocated": 0},
            "memory": {"total": 1, "allocated": 0, "provisioned": 0, "used": 0, "free": 0},
        }))
        .unwrap()
    }

    fn verdicts(mut goal: NodeGoal, domain_states: &[&str]) -> Vec<&'static str> {
        let judge = |state: &&str| match goal
            .judge_node(&node("secondary", state, "run"), Duration::ZERO)
        {
            Verdict::Waiting(_) => "waiting",
            Verdict::Done(_) => "done",
            Verdict::Failed(_) => "failed",
        };
        domain_states.iter().map(judge).collect()
    }

    #[test]
    fn waiting_does_not_end_before_the_transition_has_begun() {
        let goal = NodeGoal::flushed("hv1");
        assert_eq!(
            verdicts(goal, &["ready", "ready", "flush", "flushed"]),
            ["waiting", "waiting", "waiting", "done"]
        );
    }

    #[test]
    fn a_node_that_is_there_already_is_done() {
        assert_eq!(verdicts(NodeGoal::ready("hv1"), &["ready"]), ["done"]);
    }

    #[test]
    fn a_flush_that_is_cancelled_fails() {
        let goal = NodeGoal::flushed("hv1");
        assert_eq!(verdicts(goal, &["flush", "unflush"]), ["waiting", "failed"]);
    }

    #[test]
    fn a_transition_that_never_begins_fails() {
        let mut goal = NodeGoal::primary("hv1");
        let still = node("secondary", "ready", "run");
        let verdict = goal.judge_node(&still, BEGIN_LIMIT + Duration::from_secs(1));
        assert!(matches!(verdict, Verdict::Failed(text) if text.contains("still secondary")));
    }

    #[test]
    fn a_node_that_dies_on_the_way_fails() {
        let mut goal = NodeGoal::flushed("hv1");
        let dead = node("secondary", "flush", "dead");
        let verdict = goal.judge_node(&dead, Duration::ZERO);
        assert!(matches!(verdict, Verdict::Failed(text) if text.contains("dead")));
    }
}
