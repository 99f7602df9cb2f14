//! The typed snapshot of the tree that a plan reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::id::{NodeName, VmUuid};
use crate::model::{Node, Vm};
use crate::state::Selector;
use crate::zk::Seen;

/// Data in the tree that could not be understood. It hides nothing but itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it is.
    pub path: String,
    /// What is wrong with it.
    pub why: String,
}

/// Settings of the whole cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// Schema version in force; absent in a tree that was never initialised.
    pub schema_version: Seen<u32>,
    /// The cluster's name.
    pub name: Seen<String>,
    /// `true` while no node shall be fenced.
    pub maintenance: Seen<String>,
    /// The node that is or shall be primary.
    pub primary_node: Seen<Option<NodeName>>,
    /// The floating upstream address with its prefix.
    pub upstream_ip: Seen<String>,
    /// The default selector.
    pub default_selector: Seen<Option<Selector>>,
}

/// The tree at one moment, complete and immutable.
///
/// Objects are shared between successive views, so that a change costs what changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Settings of the whole cluster.
    pub cluster: Arc<Cluster>,
    /// Every node.
    pub nodes: BTreeMap<NodeName, Arc<Node>>,
    /// Every VM.
    pub vms: BTreeMap<VmUuid, Arc<Vm>>,
    /// What could not be understood, by path.
    pub faults: Arc<BTreeMap<String, Fault>>,
}
