//! States of a node.

use super::Word;

/// What a node is in the cluster, by its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DaemonMode {
    /// Holds a member of the ZooKeeper ensemble and may become primary.
    Coordinator,
    /// Only runs VMs.
    Hypervisor,
}

impl Word for DaemonMode {
    const KIND: &'static str = "daemon mode";
    const ALL: &'static [Self] = &[Self::Coordinator, Self::Hypervisor];

    fn text(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Hypervisor => "hypervisor",
        }
    }
}

/// What a node's daemon is doing.
///
/// ```text
///            ┌──────────────┐
///  init ──▶ run ──▶ shutdown ──▶ stop ──▶ init …
///            └──▶ dead ──▶ fenced ──▶ init …      (written by the fence authority)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DaemonState {
    /// Starting: not yet able to run VMs.
    Init,
    /// Serving: keepalives are being sent.
    Run,
    /// Stopping in order; never fenced.
    Shutdown,
    /// Stopped in order; never fenced.
    Stop,
    /// Declared missing by the others; its death is not proved.
    Dead,
    /// Its death is proved.
    Fenced,
}

impl Word for DaemonState {
    const KIND: &'static str = "daemon state";
    const ALL: &'static [Self] =
        &[Self::Init, Self::Run, Self::Shutdown, Self::Stop, Self::Dead, Self::Fenced];

    fn text(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Run => "run",
            Self::Shutdown => "shutdown",
            Self::Stop => "stop",
            Self::Dead => "dead",
            Self::Fenced => "fenced",
        }
    }
}

/// Which part a node has in the coordination of the cluster.
///
/// ```text
///  secondary ──▶ takeover ──▶ primary ──▶ relinquish ──▶ secondary
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CoordinatorState {
    /// No coordinator: never primary.
    Client,
    /// A coordinator that is not primary.
    Secondary,
    /// Becoming primary: acquires addresses and services.
    Takeover,
    /// Holds the floating addresses and runs the API.
    Primary,
    /// Ceasing to be primary: gives up services and addresses.
    Relinquish,
}

impl Word for CoordinatorState {
    const KIND: &'static str = "coordinator state";
    const ALL: &'static [Self] =
        &[Self::Client, Self::Secondary, Self::Takeover, Self::Primary, Self::Relinquish];

    fn text(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Secondary => "secondary",
            Self::Takeover => "takeover",
            Self::Primary => "primary",
            Self::Relinquish => "relinquish",
        }
    }
}

/// Whether a node takes VMs. (Upstream's key calls VMs "domains".)
///
/// ```text
///  ready ──▶ flush ──▶ flushed ──▶ unflush ──▶ ready
///    ▲─────────┴─── reversible at any time ────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DomainState {
    /// Runs VMs and is a target of migrations.
    Ready,
    /// Being emptied.
    Flush,
    /// Empty, and no target.
    Flushed,
    /// Returning to service: its VMs are coming home.
    Unflush,
    /// Being evacuated by others after its death was proved.
    FenceFlush,
}

impl Word for DomainState {
    const KIND: &'static str = "domain state";
    const ALL: &'static [Self] =
        &[Self::Ready, Self::Flush, Self::Flushed, Self::Unflush, Self::FenceFlush];

    fn text(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Flush => "flush",
            Self::Flushed => "flushed",
            Self::Unflush => "unflush",
            Self::FenceFlush => "fence-flush",
        }
    }
}
