//! Keys below `/domains/{uuid}`.

use std::sync::Arc;

use super::{DOMAINS, Key};
use crate::id::{NodeName, VmName, VmUuid, VolumeId};
use crate::model::{Claim, Json, Origin};
use crate::state::{MigrationMethod, Selector, VmState};

/// The suffixes below a VM, for reading a VM key by key.
pub mod vm_suffix {
    /// Libvirt domain XML.
    pub const XML: &str = "/xml";
    /// What the VM should be doing.
    pub const STATE: &str = "/state";
    /// Provisioner profile, or `None`.
    pub const PROFILE: &str = "/profile";
    /// Statistics, as JSON.
    pub const STATS: &str = "/stats";
    /// Node on which it should run.
    pub const NODE: &str = "/node";
    /// Home node while it is away.
    pub const LAST_NODE: &str = "/lastnode";
    /// Why it is in state fail.
    pub const FAILED_REASON: &str = "/failedreason";
    /// Its volumes, comma-separated.
    pub const RBD_LIST: &str = "/rbdlist";
    /// Last lines of its console.
    pub const CONSOLE_LOG: &str = "/consolelog";
    /// VNC address, or nothing.
    pub const VNC: &str = "/vnc";
    /// Whether it starts when its node becomes ready.
    pub const AUTOSTART: &str = "/node_autostart";
    /// How it may be moved.
    pub const MIGRATION_METHOD: &str = "/migration_method";
    /// Longest stop in a live migration, in milliseconds.
    pub const MAX_DOWNTIME: &str = "/migration_max_downtime";
    /// By which measure its node is chosen.
    pub const SELECTOR: &str = "/node_selector";
    /// The nodes it may run on, comma-separated; nothing for any.
    pub const NODE_LIMIT: &str = "/node_limit";
    /// Parent of its tags.
    pub const TAGS: &str = "/tags";
    /// Upstream's lock parent of migrations; unused by us.
    pub const MIGRATE_SYNC_LOCK: &str = "/migrate_sync_lock";
    /// Parent of its snapshots.
    pub const SNAPSHOTS: &str = "/snapshots";
    /// Who may be running it (since version 16).
    pub const CLAIM: &str = "/claim";
    /// Where a migration came from, for the way back (since version 16).
    pub const MIGRATE_ORIGIN: &str = "/migrate_origin";
    /// The dead node it was taken from while no other could take it (since version 17).
    pub const DISPLACED: &str = "/displaced";
}

use vm_suffix as suffix;

fn at<T>(vm: VmUuid, suffix: &str) -> Key<T> {
    Key::new(format!("{DOMAINS}/{vm}{suffix}"))
}

/// `/domains/{uuid}`: the VM's name. Written by: API.
#[must_use]
pub fn vm_name(vm: VmUuid) -> Key<VmName> {
    at(vm, "")
}

/// `/domains/{uuid}/xml`: its definition. Written by: API.
#[must_use]
pub fn vm_xml(vm: VmUuid) -> Key<Arc<str>> {
    at(vm, suffix::XML)
}

/// `/domains/{uuid}/state`. Written by: API, the node that holds the claim, fence.
#[must_use]
pub fn vm_state(vm: VmUuid) -> Key<VmState> {
    at(vm, suffix::STATE)
}

/// `/domains/{uuid}/profile`: provisioner profile or `None`. Written by: API.
#[must_use]
pub fn vm_profile(vm: VmUuid) -> Key<Option<String>> {
    at(vm, suffix::PROFILE)
}

/// `/domains/{uuid}/stats`: JSON. Written by: the node that runs it.
#[must_use]
pub fn vm_stats(vm: VmUuid) -> Key<Json> {
    at(vm, suffix::STATS)
}

/// `/domains/{uuid}/node`: where it should run. Written by: API, node (flush, unflush), fence.
#[must_use]
pub fn vm_node(vm: VmUuid) -> Key<Option<NodeName>> {
    at(vm, suffix::NODE)
}

/// `/domains/{uuid}/lastnode`: its home while it is away. Written by: as [`vm_node`].
#[must_use]
pub fn vm_last_node(vm: VmUuid) -> Key<Option<NodeName>> {
    at(vm, suffix::LAST_NODE)
}

/// `/domains/{uuid}/failedreason`. Written by: the node that failed to run it.
#[must_use]
pub fn vm_failed_reason(vm: VmUuid) -> Key<String> {
    at(vm, suffix::FAILED_REASON)
}

/// `/domains/{uuid}/rbdlist`: comma-separated `pool/volume`. Written by: API.
#[must_use]
pub fn vm_rbd_list(vm: VmUuid) -> Key<Vec<VolumeId>> {
    at(vm, suffix::RBD_LIST)
}

/// `/domains/{uuid}/consolelog`. Written by: the node that runs it.
#[must_use]
pub fn vm_console_log(vm: VmUuid) -> Key<Arc<str>> {
    at(vm, suffix::CONSOLE_LOG)
}

/// `/domains/{uuid}/vnc`: `listen:port` or nothing. Written by: the node that runs it.
#[must_use]
pub fn vm_vnc(vm: VmUuid) -> Key<String> {
    at(vm, suffix::VNC)
}

/// `/domains/{uuid}/node_autostart`. Written by: API, node (flush, unflush), fence.
#[must_use]
pub fn vm_autostart(vm: VmUuid) -> Key<bool> {
    at(vm, suffix::AUTOSTART)
}

/// `/domains/{uuid}/migration_method`. Written by: API.
#[must_use]
pub fn vm_migration_method(vm: VmUuid) -> Key<Option<MigrationMethod>> {
    at(vm, suffix::MIGRATION_METHOD)
}

/// `/domains/{uuid}/migration_max_downtime`: milliseconds. Written by: API.
#[must_use]
pub fn vm_max_downtime(vm: VmUuid) -> Key<u64> {
    at(vm, suffix::MAX_DOWNTIME)
}

/// `/domains/{uuid}/node_selector`. Written by: API.
#[must_use]
pub fn vm_selector(vm: VmUuid) -> Key<Option<Selector>> {
    at(vm, suffix::SELECTOR)
}

/// `/domains/{uuid}/node_limit`. Written by: API.
#[must_use]
pub fn vm_node_limit(vm: VmUuid) -> Key<Vec<NodeName>> {
    at(vm, suffix::NODE_LIMIT)
}

/// `/domains/{uuid}/migrate_sync_lock`: upstream's lock parent of migrations; unused by us.
///
/// Written by: API, when the VM is made.
#[must_use]
pub fn vm_migrate_sync_lock(vm: VmUuid) -> Key<String> {
    at(vm, suffix::MIGRATE_SYNC_LOCK)
}

/// `/domains/{uuid}/claim`: who may be running it. Never removed but by its holder, or by
/// fence with proof of the holder's death.
///
/// Written by: the node that starts it; handed over by the source of a migration.
#[must_use]
pub fn vm_claim(vm: VmUuid) -> Key<Claim> {
    at(vm, suffix::CLAIM)
}

/// `/domains/{uuid}/migrate_origin`: the way back if a migration is given up.
///
/// Written by: whoever writes [`vm_node`] for a migration, in the same transaction.
#[must_use]
pub fn vm_migrate_origin(vm: VmUuid) -> Key<Option<Origin>> {
    at(vm, suffix::MIGRATE_ORIGIN)
}

/// `/domains/{uuid}/displaced`: the dead node it was taken from while no other could take it.
///
/// Such a VM is stopped with autostart, and starts as soon as a node can take it.
/// Written by: fence; API and node, when the VM gets another wish.
#[must_use]
pub fn vm_displaced(vm: VmUuid) -> Key<Option<NodeName>> {
    at(vm, suffix::DISPLACED)
}
