//! What people are shown of nodes and VMs, and no decision reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Json;
use crate::id::{PluginName, SnapshotId, SnapshotName, TagName, VolumeId};
use crate::unit::Seconds;
use crate::zk::Seen;

/// The rest of a node: its health and its traffic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeDetails {
    /// Names of its health checks.
    pub plugins: Seen<Vec<PluginName>>,
    /// Results of its health checks.
    pub results: BTreeMap<PluginName, PluginResult>,
    /// Traffic of its interfaces, by interface.
    pub network_stats: Seen<Json>,
    /// Whom it hears, by node.
    pub hears: Seen<Json>,
}

/// The result of one health check of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PluginResult {
    /// That it is there.
    pub znode: Seen<()>,
    /// When it last ran, in UNIX seconds by the node's clock.
    pub last_run: Seen<u64>,
    /// Percent by which it lowers the node's health.
    pub health_delta: Seen<u32>,
    /// What it found.
    pub message: Seen<String>,
    /// Its own details.
    pub data: Seen<Json>,
    /// How long it took.
    pub runtime: Seen<Seconds>,
}

/// The rest of a VM: its large texts, tags and snapshots.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VmDetails {
    /// Its definition: libvirt domain XML. Absent too where it was not asked for.
    pub xml: Seen<Arc<str>>,
    /// Provisioner profile it was made from.
    pub profile: Seen<Option<String>>,
    /// Statistics of its last keepalive; empty while it does not run.
    pub stats: Seen<Json>,
    /// Its volumes.
    pub volumes: Seen<Vec<VolumeId>>,
    /// Where its screen can be seen, as `listen:port`; empty without a screen.
    pub vnc: Seen<String>,
    /// Its tags.
    pub tags: BTreeMap<TagName, Box<Tag>>,
    /// Its snapshots.
    pub snapshots: BTreeMap<SnapshotName, VmSnapshot>,
}

/// A tag of a VM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// Its name once more.
    pub name: Seen<String>,
    /// `user` if people may remove it.
    pub kind: Seen<String>,
    /// Whether it cannot be removed.
    pub protected: Seen<bool>,
}

/// A snapshot of a VM.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VmSnapshot {
    /// Its name once more.
    pub name: Seen<String>,
    /// When it was taken, in UNIX seconds by the clock of the node that took it.
    pub timestamp: Seen<Seconds>,
    /// The VM's definition at that time.
    pub xml: Seen<Arc<str>>,
    /// The volume snapshots it is made of.
    pub volumes: Seen<Vec<SnapshotId>>,
}
