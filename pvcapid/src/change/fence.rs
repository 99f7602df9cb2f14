//! What a person orders about a node's death.

use std::fmt;

use pvc_common::id::NodeName;
use pvc_common::model::{Fence, FenceOrder};
use pvc_common::state::{DaemonState, FencePhase, Word};
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
    /// Whether no node shall be fenced.
    pub(crate) maintenance: Seen<String>,
    /// The other coordinators and what their daemons are doing.
    pub(crate) others: Vec<(NodeName, Seen<DaemonState>)>,
}

/// Writes an order, or forgets one; every version that it depends on is stated.
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
    if let Some(fence) = now.fence.get() {
        let phase = fence.phase.text();
        return Ok(Change::nothing(format!(
            "Node {name} is being fenced already: {} is {phase}.",
            fence.id
        )));
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
    if now.order.get().is_some() {
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
    outside_of_maintenance(now)?;
    let message = format!("Ordered the fence of node {name}.");
    let ops = order(name, now, &FenceOrder::Fence);
    Ok(Change::of(ops.into_iter().chain([key::node_daemon_state(witness).check(state)]), message))
}

fn confirm_dead(name: &NodeName, now: &Condemnable) -> Result<Change, ApiError> {
    let state = now.daemon_state.copied().ok_or_else(|| unreadable("The node's daemon state"))?;
    match (now.fence.get().map(|fence| fence.phase), state) {
        (Some(FencePhase::Recovering | FencePhase::Finished), _) => {
            let message = format!("The death of node {name} is proved already.");
            return Ok(Change::nothing(message));
        }
        (Some(FencePhase::Proving | FencePhase::Withdrawn), _) => {}
        (None, DaemonState::Run) => {
            return refuse(
                "node-alive",
                format!("Node {name} is in state run and is not being fenced; fence it instead."),
            );
        }
        (None, DaemonState::Fenced) => return fenced(name),
        (
            None,
            DaemonState::Init | DaemonState::Shutdown | DaemonState::Stop | DaemonState::Dead,
        ) => {
            outside_of_maintenance(now)?;
        }
    }
    let message = format!("Confirmed that node {name} is dead.");
    if now.order.get() == Some(&FenceOrder::ConfirmDead) {
        return Ok(Change::nothing(message));
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

fn fenced<T>(name: &NodeName) -> Result<T, ApiError> {
    refuse("node-fenced", format!("Node {name} is fenced already."))
}

/// An order that waits for the end of maintenance would take effect when nobody thinks of it.
fn outside_of_maintenance(now: &Condemnable) -> Result<(), ApiError> {
    if now.maintenance.get().is_some_and(|text| text == "true") {
        let why = "The cluster is in maintenance mode, in which no node is fenced; end it first.";
        return refuse("maintenance", why.to_owned());
    }
    Ok(())
}

fn order(name: &NodeName, now: &Condemnable, order: &FenceOrder) -> [Option<Op>; 4] {
    [
        Some(key::node_fence_order(name).put(&now.order, order)),
        key::node_daemon_state(name).check(&now.daemon_state),
        key::node_fence(name).check(&now.fence),
        key::maintenance().check(&now.maintenance),
    ]
}

#[cfg(test)]
mod tests;
