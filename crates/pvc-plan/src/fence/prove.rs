//! A condemned node: evidence is gathered until it suffices, or the node is heard again.

use pvc_common::id::NodeName;
use pvc_common::model::{Evidence, Fence, Node};
use pvc_common::state::{
    CoordinatorState, DaemonMode, DaemonState, DomainState, EvidenceKind, FencePhase, Verdict,
};
use pvc_common::zk::{Op, key};

use super::condemn::asks_storage;
use super::evidence::{self, Coverage, Found, Job, RETRY};
use super::step::{Goal, Note, Plan, Step};
use super::{AfterFence, Situation, finish};

pub(super) fn plan(
    s: &Situation<'_>,
    name: &NodeName,
    node: &Node,
    fence: &Fence,
    plan: &mut Plan,
) {
    if finish::is_alive(s, name, node, fence) {
        plan.steps.push(finish::withdraw(s, name, node, fence));
        return;
    }
    let known = evidence::known(s, name, node, fence);
    gather(s, name, &known, plan);
    if Coverage::of(&known, s.policy).node() {
        plan.steps.push(prove(s, name, node, fence, known));
        return;
    }
    record(name, node, fence, known, plan);
    wait(s, name, node, plan);
}

/// Begins to gather what is wanted and not had. Nothing more once the host has booted again: it
/// would be switched off for what its former boot did.
pub(super) fn gather(s: &Situation<'_>, name: &NodeName, fence: &Fence, plan: &mut Plan) {
    if fence.proved_by(EvidenceKind::Reboot) {
        return;
    }
    let kinds =
        [(EvidenceKind::Ipmi, s.policy.ipmi), (EvidenceKind::Storage, asks_storage(s.policy))];
    for (kind, wanted) in kinds {
        if !wanted || fence.proved_by(kind) {
            continue;
        }
        let again = match s.jobs.get(&(name.clone(), kind)) {
            None => s.now,
            Some(Job::Running) => continue,
            Some(Job::Found(found)) if found.fence != fence.id => s.now,
            Some(Job::Found(found)) => match found.verdict {
                // Not believed while the node is heard: then it is asked again.
                Verdict::Proved | Verdict::Failed => found.at + RETRY,
            },
        };
        let from = s.sight.cuts_from(name).filter(|_| kind == EvidenceKind::Ipmi);
        let again = from.map_or(again, |from| again.max(from));
        if again <= s.now {
            plan.steps.push(Step::Gather { node: name.clone(), kind });
        } else {
            plan.wake(Some(again));
        }
    }
}

/// Records what is known beyond the record, without deciding anything by it.
pub(super) fn record(name: &NodeName, node: &Node, fence: &Fence, known: Fence, plan: &mut Plan) {
    if known.evidence == fence.evidence {
        return;
    }
    let is_new = |evidence: &&Evidence| !fence.evidence.contains(evidence);
    let new = known.evidence.iter().filter(is_new);
    let found = new.map(|evidence| (evidence.kind, evidence.verdict)).collect();
    let mut ops = vec![key::node_fence(name).put(&node.liveness.fence, &known)];
    // What is recorded is believed from then on.
    ops.extend(evidence::lease_stands(name, node, fence, &known));
    plan.write(name, Goal::Record { found }, ops);
}

/// When to look again, and why nothing is decided yet.
fn wait(s: &Situation<'_>, name: &NodeName, node: &Node, plan: &mut Plan) {
    let said_off = matches!(
        s.jobs.get(&(name.clone(), EvidenceKind::Ipmi)),
        Some(Job::Found(Found { verdict: Verdict::Proved, .. }))
    );
    if said_off && !evidence::silent(s, name, node) {
        plan.notes.push(Note::Contradicted { node: name.clone() });
    }
    match evidence::lease_end(s, name, node) {
        Some(at) if at > s.now => {
            plan.notes.push(Note::LeaseRuns { node: name.clone() });
            plan.wake(Some(at));
        }
        Some(_) | None => {
            let running =
                |kind| matches!(s.jobs.get(&(name.clone(), kind)), None | Some(Job::Running));
            if !running(EvidenceKind::Ipmi) && !running(EvidenceKind::Storage) {
                plan.notes.push(Note::NoProof { node: name.clone() });
            }
        }
    }
}

/// Its death is proved: it is out of the cluster, and what it held is free.
fn prove(s: &Situation<'_>, name: &NodeName, node: &Node, fence: &Fence, mut known: Fence) -> Step {
    let stands = evidence::lease_stands(name, node, fence, &known);
    let proofs = known.evidence.iter().filter(|evidence| evidence.verdict == Verdict::Proved);
    let by: Vec<EvidenceKind> = proofs.map(|evidence| evidence.kind).collect();
    known.phase = FencePhase::Recovering;
    known.proved_ms = Some(s.wall_ms);
    let seat = &s.view.cluster.primary_node;
    let holds_seat = seat.get().and_then(Option::as_ref) == Some(name);
    let coordinates = node.mode.copied() == Some(DaemonMode::Coordinator);
    let flushes = s.policy.successful == AfterFence::Migrate;
    let ops = [
        Some(key::node_fence(name).put(&node.liveness.fence, &known)),
        Some(key::node_daemon_state(name).put(&node.daemon_state, &DaemonState::Fenced)),
        coordinates.then(|| {
            let state = &node.coordinator_state;
            key::node_coordinator_state(name).put(state, &CoordinatorState::Secondary)
        }),
        // Upstream's daemons contend for the seat when they read this word.
        holds_seat.then(|| Op::put(key::primary_node().into_path(), "none", seat.expected())),
        flushes.then(|| {
            key::node_domain_state(name).put(&node.domain_state, &DomainState::FenceFlush)
        }),
        // What proves it may be the boot that it told of.
        key::node_presence(name).check(&node.liveness.presence),
    ];
    let ops = ops.into_iter().flatten().chain(stands).collect();
    Step::Write { node: name.clone(), goal: Goal::Prove { by }, ops }
}

/// Goes on with the fence of an author who cannot.
pub(super) fn take_over(s: &Situation<'_>, name: &NodeName, node: &Node, fence: &Fence) -> Step {
    let from = fence.by.clone();
    let mine = Fence { by: s.me.clone(), ..fence.clone() };
    let ops = vec![key::node_fence(name).put(&node.liveness.fence, &mine)];
    Step::Write { node: name.clone(), goal: Goal::TakeOver { from }, ops }
}
