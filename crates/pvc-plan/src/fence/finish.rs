//! The end of a fence: every VM is settled, or the node was alive after all.

use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::model::{Fence, Node};
use pvc_common::state::{DaemonState, DomainState, EvidenceKind, FencePhase, Verdict};
use pvc_common::unit::{Mib, Vcpus};
use pvc_common::zk::{Op, key};

use super::step::{Goal, Step};
use super::{AfterFence, Situation, evidence};

/// A keepalive that changed so recently is a sign of life.
const RECENT: Duration = Duration::from_secs(2);

/// Whether the node lives, and nothing was done to it that it may not survive.
pub(super) fn is_alive(s: &Situation<'_>, name: &NodeName, node: &Node, fence: &Fence) -> bool {
    let ordered = node.liveness.order.get().is_some();
    let power_cut = fence.power_cut
        && fence
            .evidence(EvidenceKind::Ipmi)
            .is_none_or(|evidence| evidence.verdict == Verdict::Proved);
    let writes = s
        .sight
        .keepalive_changed(name)
        .filter(|_| s.sight.has_written_since_fence(name))
        .is_some_and(|at| s.now.saturating_duration_since(at) < RECENT);
    !ordered && !power_cut && writes && !evidence::silent(s, name, node)
}

pub(super) fn withdraw(s: &Situation<'_>, name: &NodeName, node: &Node, fence: &Fence) -> Step {
    let serves = key::node_daemon_state(name).put(&node.daemon_state, &DaemonState::Run);
    let ops = close(s, name, node, fence, FencePhase::Withdrawn);
    let ops = ops.into_iter().chain([serves]).collect();
    Step::Write { node: name.clone(), goal: Goal::Withdraw, ops }
}

pub(super) fn finish(s: &Situation<'_>, name: &NodeName, node: &Node, fence: &Fence) -> Step {
    let mut ops = close(s, name, node, fence, FencePhase::Finished);
    ops.extend([
        key::node_running_domains(name).put(&node.running_domains, &vec![]),
        key::node_domains_count(name).put(&node.domains_count, &0),
        key::node_cpu_load(name).put(&node.cpu_load, &0.0),
        key::node_vcpu_alloc(name).put(&node.vcpu_alloc, &Vcpus(0)),
        key::node_mem_total(name).put(&node.mem_total, &Mib(0)),
        key::node_mem_used(name).put(&node.mem_used, &Mib(0)),
        key::node_mem_free(name).put(&node.mem_free, &Mib(0)),
        key::node_mem_alloc(name).put(&node.mem_alloc, &Mib(0)),
        key::node_mem_prov(name).put(&node.mem_prov, &Mib(0)),
        key::node_health(name).put(&node.health, &"None".to_owned()),
    ]);
    if s.policy.successful == AfterFence::Migrate {
        ops.push(key::node_domain_state(name).put(&node.domain_state, &DomainState::Flushed));
    }
    Step::Write { node: name.clone(), goal: Goal::Finish, ops }
}

/// Moves the record into the history; an order that led to it is done.
fn close(
    s: &Situation<'_>,
    name: &NodeName,
    node: &Node,
    fence: &Fence,
    phase: FencePhase,
) -> Vec<Op> {
    let past = Fence { phase, finished_ms: Some(s.wall_ms), ..fence.clone() };
    let ops = [
        key::node_fence(name).delete(&node.liveness.fence),
        Some(key::past_fence(&fence.id).create(&past)),
        key::node_fence_order(name).delete(&node.liveness.order),
    ];
    ops.into_iter().flatten().collect()
}
