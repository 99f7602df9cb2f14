//! What a person orders about a node's death.

use std::fmt;

use pvc_common::id::NodeName;
use pvc_common::model::{Fence, FenceOrder};
use pvc_common::state::{DaemonState, EvidenceKind, FencePhase, Word};
use pvc_common::zk::{Op, Seen, key};

use super::{Change, unreadable};
use crate::api::ApiError;

/// What is wished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FenceWish {
    /// Fence it, whoever hears it.
    Fence,
    /// Take a person's word that it is off.
    ConfirmDead,
    /// Forget an order that nobody has acted on.
    Cancel,
}

impl FenceWish {
    /// The words of the API.
    pub(crate) const WORDS: &[(&'static str, Self)] =
        &[("fence", Self::Fence), ("confirm-dead", Self::ConfirmDead), ("cancel", Self::Cancel)];

    /// Whether VMs may be lost by it.
    pub(crate) const fn is_destructive(self) -> bool {
        match self {
            Self::Fence | Self::ConfirmDead => true,
            Self::Cancel => false,
        }
    }
}

impl fmt::Display for FenceWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fence => "ordered",
            Self::ConfirmDead => "confirmed dead",
            Self::Cancel => "order cancelled",
        })
    }
}

/// A node as far as an order about its death depends on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Condemnable {
    /// The order that stands.
    pub(crate) order: Seen<FenceOrder>,
    /// The fence under way.
    pub(crate) fence: Seen<Fence>,
    /// What its daemon is doing.
    pub(crate) daemon_state: Seen<DaemonState>,
    /// The other coordinators and what their daemons are doing.
    pub(crate) others: Vec<(NodeName, Seen<DaemonState>)>,
}

/// Writes an order, or forgets one; every version that it depends on is stated.
///
/// Maintenance is no reason against an order: it keeps nodes from being fenced for their silence.
pub(crate) fn order_fence(
    name: &NodeName,
    now: &Condemnable,
    wish: FenceWish,
) -> Result<Change, ApiError> {
    if now.fence.fault().is_some() {
        return Err(unreadable("The record of the node's fence"));
    }
    match wish {
        FenceWish::Fence => fence(name, now),
        FenceWish::ConfirmDead => confirm_dead(name, now),
        FenceWish::Cancel => cancel(name, now),
    }
}

fn refuse<T>(code: &'static str, why: String) -> Result<T, ApiError> {
    Err(ApiError::refused(code, format!("ERROR: {why}")))
}

fn fence(name: &NodeName, now: &Condemnable) -> Result<Change, ApiError> {
    let ordered = now.order.get().is_some();
    if let Some(fence) = now.fence.get() {
        let (id, phase) = (&fence.id, fence.phase.text());
        let message = format!("Node {name} is being fenced already: {id} is {phase}.");
        // Until its death is proved, the order keeps the fence from being withdrawn.
        if ordered || fence.phase != FencePhase::Proving {
            return Ok(Change::nothing(message));
        }
        return Ok(Change::of(order(name, now, &FenceOrder::Fence), message));
    }
    match now.daemon_state.copied().ok_or_else(|| unreadable("The node's daemon state"))? {
        DaemonState::Stop => {
            return refuse(
                "node-stopped",
                format!("Node {name} was stopped in order; if it is off, confirm that it is dead."),
            );
        }
        DaemonState::Fenced => return fenced(name),
        DaemonState::Init | DaemonState::Run | DaemonState::Shutdown | DaemonState::Dead => {}
    }
    if ordered {
        return Ok(Change::nothing(format!("The fence of node {name} is ordered already.")));
    }
    let runs =
        |(_, state): &&(NodeName, Seen<DaemonState>)| state.copied() == Some(DaemonState::Run);
    let Some((witness, state)) = now.others.iter().find(runs) else {
        return refuse(
            "only-coordinator",
            format!("No coordinator but {name} runs, and none fences itself."),
        );
    };
    let ops = order(name, now, &FenceOrder::Fence);
    let ops = ops.into_iter().chain([key::node_daemon_state(witness).check(state)]);
    Ok(Change::of(ops, format!("Ordered the fence of node {name}.")))
}

fn confirm_dead(name: &NodeName, now: &Condemnable) -> Result<Change, ApiError> {
    let message = format!("Confirmed that node {name} is dead.");
    let confirmed = now.fence.get().is_some_and(|fence| fence.proved_by(EvidenceKind::Operator));
    if confirmed || now.order.get() == Some(&FenceOrder::ConfirmDead) {
        return Ok(Change::nothing(message));
    }
    let state = now.daemon_state.copied().ok_or_else(|| unreadable("The node's daemon state"))?;
    // A fence under way may want this proof in any phase: what the blocklist alone proves does
    // not cover every VM.
    if now.fence == Seen::Absent {
        match state {
            DaemonState::Run => {
                let why = format!(
                    "Node {name} is in state run and is not being fenced; fence it instead."
                );
                return refuse("node-alive", why);
            }
            DaemonState::Fenced => return fenced(name),
            DaemonState::Init | DaemonState::Shutdown | DaemonState::Stop | DaemonState::Dead => {}
        }
    }
    Ok(Change::of(order(name, now, &FenceOrder::ConfirmDead), message))
}

fn cancel(name: &NodeName, now: &Condemnable) -> Result<Change, ApiError> {
    if let Some(fence) = now.fence.get() {
        return refuse(
            "under-way",
            format!("The order was acted on: {} is {}.", fence.id, fence.phase.text()),
        );
    }
    let Some(delete) = key::node_fence_order(name).delete(&now.order) else {
        return refuse("no-order", format!("Nothing is ordered about the fence of node {name}."));
    };
    // Whoever acts on the order changes the state, and then it is too late.
    let ops = [Some(delete), key::node_daemon_state(name).check(&now.daemon_state)];
    Ok(Change::of(ops, format!("Cancelled the order about the fence of node {name}.")))
}

/// An order that stood would strike the node when it comes back.
fn fenced<T>(name: &NodeName) -> Result<T, ApiError> {
    refuse("node-fenced", format!("Node {name} is fenced already."))
}

fn order(name: &NodeName, now: &Condemnable, order: &FenceOrder) -> [Option<Op>; 3] {
    [
        Some(key::node_fence_order(name).put(&now.order, order)),
        key::node_daemon_state(name).check(&now.daemon_state),
        key::node_fence(name).check(&now.fence),
    ]
}

#[cfg(test)]
mod tests;
