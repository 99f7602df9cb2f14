//! Every path, typed by what it holds; the only place where a path is spelt.
//!
//! Each key's doc names its writers: *node* is the node's own daemon, *primary* the daemon of
//! the primary coordinator, *API* the API daemon for a person, *fence* the holder of the fence
//! authority, *init* the initialisation of a cluster.

mod domain;
mod fault;
mod fence;
mod log;
mod monitoring;
mod network;
mod node;
mod sriov;
mod storage;
mod task;
mod vm_parts;

use std::marker::PhantomData;

pub use domain::*;
pub use fault::*;
pub use fence::*;
pub use log::*;
pub use monitoring::*;
pub use network::*;
pub use node::*;
pub use sriov::*;
pub use storage::*;
pub use task::*;
pub use vm_parts::*;

use super::{Expected, Op, Seen, Text};
use crate::id::NodeName;
use crate::state::Selector;

/// A path together with the type of what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key<T> {
    path: String,
    holds: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    const fn new(path: String) -> Self {
        Self { path, holds: PhantomData }
    }

    /// The absolute path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The absolute path, given away.
    #[must_use]
    pub fn into_path(self) -> String {
        self.path
    }

    /// Does not change the key, but makes the transaction fail if it changed since `seen`.
    ///
    /// `None` when it was absent: ZooKeeper cannot check absence in a transaction.
    #[must_use]
    pub fn check(&self, seen: &Seen<T>) -> Option<Op> {
        match seen.expected() {
            Expected::Absent => None,
            Expected::Version(version) => Some(Op::Check { path: self.path.clone(), version }),
        }
    }

    /// Deletes the key if it is still as it was `seen`; `None` when it was absent.
    #[must_use]
    pub fn delete(&self, seen: &Seen<T>) -> Option<Op> {
        match seen.expected() {
            Expected::Absent => None,
            Expected::Version(version) => Some(Op::Delete { path: self.path.clone(), version }),
        }
    }
}

impl<T: Text> Key<T> {
    /// Writes `value` over what was `seen`.
    #[must_use]
    pub fn put(&self, seen: &Seen<T>, value: &T) -> Op {
        Op::put(self.path.clone(), value.encode(), seen.expected())
    }

    /// Creates the key with `value`; the transaction fails if it exists.
    #[must_use]
    pub fn create(&self, value: &T) -> Op {
        Op::put(self.path.clone(), value.encode(), Expected::Absent)
    }
}

/// Parent of the schema version. Written by: init.
pub const SCHEMA: &str = "/schema";
/// Parent of cluster-wide settings; its own data is the cluster's name. Written by: node.
pub const CONFIG: &str = "/config";
/// Parent of node log rings.
pub const LOGS: &str = "/logs";
/// Parent of faults.
pub const FAULTS: &str = "/faults";
/// Parent of fences that are over (since version 17).
pub const FENCES: &str = "/fences";
/// Parent of tasks (since version 18).
pub const TASKS: &str = "/tasks";
/// Parent of nodes.
pub const NODES: &str = "/nodes";
/// Parent of VMs.
pub const DOMAINS: &str = "/domains";
/// Parent of networks.
pub const NETWORKS: &str = "/networks";
/// Parent of storage; its own data is the text of `ceph status`. Written by: primary.
pub const CEPH: &str = "/ceph";

/// Below [`SCHEMA`]: the layout the whole cluster uses.
pub const SCHEMA_VERSION: &str = "/version";

/// The suffixes below [`CONFIG`], for reading the cluster's settings key by key.
pub mod config_suffix {
    /// Whether no node shall be fenced.
    pub const MAINTENANCE: &str = "/maintenance";
    /// Upstream's lock parent of fencing.
    pub const FENCE_LOCK: &str = "/fence_lock";
    /// The primary.
    pub const PRIMARY_NODE: &str = "/primary_node";
    /// Upstream's lock parent of the hand-over.
    pub const PRIMARY_SYNC_LOCK: &str = "/primary_node/sync_lock";
    /// The floating upstream address.
    pub const UPSTREAM_IP: &str = "/upstream_ip";
    /// The default selector.
    pub const DEFAULT_SELECTOR: &str = "/migration_target_selector";
}

use config_suffix as suffix;

fn setting<T>(suffix: &str) -> Key<T> {
    Key::new(format!("{CONFIG}{suffix}"))
}

/// `/schema/version`: the layout the whole cluster uses.
///
/// Written by: init, and the last upgraded node.
#[must_use]
pub fn schema_version() -> Key<u32> {
    Key::new(format!("{SCHEMA}{SCHEMA_VERSION}"))
}

/// `/config`: the name of the cluster. Written by: node, at start.
#[must_use]
pub fn cluster_name() -> Key<String> {
    Key::new(CONFIG.to_owned())
}

/// `/config/maintenance`: `true` while no node shall be fenced; `false` or empty otherwise.
///
/// Written by: API.
#[must_use]
pub fn maintenance() -> Key<String> {
    setting(suffix::MAINTENANCE)
}

/// `/config/primary_node`: the node that is or shall be primary; `none` or empty while open.
///
/// Written by: node (any coordinator that stands for election), API.
#[must_use]
pub fn primary_node() -> Key<Option<NodeName>> {
    setting(suffix::PRIMARY_NODE)
}

/// `/config/primary_node/sync_lock`: upstream's lock parent of the hand-over; unused by us.
#[must_use]
pub fn primary_sync_lock() -> Key<String> {
    setting(suffix::PRIMARY_SYNC_LOCK)
}

/// `/config/fence_lock`: upstream's lock parent of fencing.
#[must_use]
pub fn fence_lock() -> Key<String> {
    setting(suffix::FENCE_LOCK)
}

/// `/config/upstream_ip`: the floating upstream address with its prefix. Written by: primary.
#[must_use]
pub fn upstream_ip() -> Key<String> {
    setting(suffix::UPSTREAM_IP)
}

/// `/config/migration_target_selector`: the default selector. Written by: primary.
#[must_use]
pub fn default_selector() -> Key<Option<Selector>> {
    setting(suffix::DEFAULT_SELECTOR)
}
