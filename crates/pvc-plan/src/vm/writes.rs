//! The transactions of a VM's plan. Each states everything it was decided on.

use pvc_common::id::NodeName;
use pvc_common::model::Claim;
use pvc_common::state::VmState;
use pvc_common::zk::{Op, key};

use super::step::Goal;
use super::{Situation, Step};

fn write(goal: Goal, ops: impl IntoIterator<Item = Option<Op>>) -> Step {
    Step::Write { goal, ops: ops.into_iter().flatten().collect() }
}

fn state_unchanged(s: &Situation<'_>) -> Option<Op> {
    key::vm_state(s.uuid).check(&s.vm.state)
}

fn node_unchanged(s: &Situation<'_>) -> Option<Op> {
    key::vm_node(s.uuid).check(&s.vm.node)
}

/// A node that was condemned since does not start anything.
fn not_condemned(s: &Situation<'_>) -> Option<Op> {
    key::node_daemon_state(s.me).check(s.own_state)
}

fn put_claim(s: &Situation<'_>, claim: &Claim) -> Option<Op> {
    Some(key::vm_claim(s.uuid).put(&s.vm.claim, claim))
}

fn put_own_claim(s: &Situation<'_>) -> Option<Op> {
    put_claim(s, &Claim::of(s.me.clone()))
}

pub(super) fn claim(s: &Situation<'_>) -> Step {
    let claim = put_own_claim(s);
    let unchanged = [state_unchanged(s), node_unchanged(s), not_condemned(s)];
    write(Goal::Claim, [claim].into_iter().chain(unchanged).chain([clear_reason(s)]))
}

pub(super) fn adopt(s: &Situation<'_>) -> Step {
    write(Goal::Adopt, [put_own_claim(s)])
}

/// Proves that nothing was changed that the next step was decided on.
pub(super) fn confirm(s: &Situation<'_>) -> Step {
    let claim = key::vm_claim(s.uuid).check(&s.vm.claim);
    write(Goal::Confirm, [claim, state_unchanged(s), node_unchanged(s)])
}

/// As [`confirm`], before a start.
pub(super) fn confirm_start(s: &Situation<'_>) -> Step {
    let claim = key::vm_claim(s.uuid).check(&s.vm.claim);
    let unchanged = [state_unchanged(s), node_unchanged(s), not_condemned(s)];
    write(Goal::Confirm, [claim].into_iter().chain(unchanged).chain([clear_reason(s)]))
}

pub(super) fn release(s: &Situation<'_>) -> Step {
    write(Goal::Release, [key::vm_claim(s.uuid).delete(&s.vm.claim), state_unchanged(s)])
}

/// QEMU is gone here whatever anybody wishes now, but a claim that was removed and made anew
/// counts its versions from nought: only together with the state's, which changed in between,
/// do they prove that this is the claim that was seen.
pub(super) fn hand_over(s: &Situation<'_>, to: &NodeName) -> Step {
    let claim = put_claim(s, &Claim::arriving(to.clone()));
    write(Goal::HandOver { to: to.clone() }, [claim, state_unchanged(s)])
}

/// Says that this node knows of what a migration left with it. Guarded as [`hand_over`].
pub(super) fn acknowledge(s: &Situation<'_>) -> Step {
    write(Goal::Acknowledge, [put_own_claim(s), state_unchanged(s)])
}

/// Gives a VM that runs nowhere to the node it is assigned to.
pub(super) fn hand_over_cold(s: &Situation<'_>, to: &NodeName) -> Step {
    let goal = Goal::HandOver { to: to.clone() };
    let claim = put_claim(s, &Claim::of(to.clone()));
    write(goal, [claim, state_unchanged(s), node_unchanged(s)])
}

pub(super) fn depart(s: &Situation<'_>, to: &NodeName) -> Step {
    let goal = Goal::Depart { to: to.clone() };
    let claim = put_claim(s, &Claim::moving(s.me.clone(), to.clone()));
    write(goal, [claim, state_unchanged(s), node_unchanged(s)])
}

/// Guarded as [`hand_over`].
pub(super) fn stay(s: &Situation<'_>) -> Step {
    write(Goal::Stay, [put_own_claim(s), state_unchanged(s)])
}

/// Moves the state on; a migration that is over leaves no origin behind.
pub(super) fn state(s: &Situation<'_>, to: VmState) -> Step {
    write(Goal::Settle, [put_state(s, to), node_unchanged(s), clear_origin(s)])
}

/// The guest is down as asked: the state says so and the claim goes, in one transaction.
pub(super) fn stopped(s: &Situation<'_>) -> Step {
    let claim = key::vm_claim(s.uuid).delete(&s.vm.claim);
    write(Goal::Settle, [put_state(s, VmState::Stop), claim])
}

pub(super) fn fail(s: &Situation<'_>, why: &str) -> Step {
    let reason = key::vm_failed_reason(s.uuid).put(&s.vm.failed_reason, &why.to_owned());
    let claim = key::vm_claim(s.uuid).delete(&s.vm.claim);
    write(Goal::Fail { why: why.to_owned() }, [put_state(s, VmState::Fail), Some(reason), claim])
}

/// Back to how it was before the migration was wished for, with the reason for people.
///
/// Without a recorded origin (a wish written by upstream) the home is kept as it is, unless it
/// was this node itself.
pub(super) fn give_up(s: &Situation<'_>, why: &str) -> Step {
    let origin = s.vm.migrate_origin.get().and_then(Option::as_ref).filter(|o| o.node == *s.me);
    let last_node = match origin {
        Some(origin) => origin.last_node.clone(),
        None => s.vm.last_node.get().cloned().flatten().filter(|home| home != s.me),
    };
    let claim = key::vm_claim(s.uuid).check(&s.vm.claim);
    write(
        Goal::GiveUp { why: why.to_owned() },
        [
            put_state(s, VmState::Start),
            Some(key::vm_node(s.uuid).put(&s.vm.node, &Some(s.me.clone()))),
            Some(key::vm_last_node(s.uuid).put(&s.vm.last_node, &last_node)),
            Some(key::vm_failed_reason(s.uuid).put(&s.vm.failed_reason, &why.to_owned())),
            clear_origin(s),
            claim,
        ],
    )
}

fn put_state(s: &Situation<'_>, to: VmState) -> Option<Op> {
    Some(key::vm_state(s.uuid).put(&s.vm.state, &to))
}

fn clear_origin(s: &Situation<'_>) -> Option<Op> {
    s.vm.migrate_origin.get()?.as_ref()?;
    Some(key::vm_migrate_origin(s.uuid).put(&s.vm.migrate_origin, &None))
}

/// An old reason does not outlive the next attempt.
fn clear_reason(s: &Situation<'_>) -> Option<Op> {
    s.vm.failed_reason.get().filter(|reason| !reason.is_empty())?;
    Some(key::vm_failed_reason(s.uuid).put(&s.vm.failed_reason, &String::new()))
}
