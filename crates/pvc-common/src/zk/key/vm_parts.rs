//! Keys of what a VM has several of: its tags and its snapshots.

use std::sync::Arc;

use super::vm_suffix::{SNAPSHOTS, TAGS};
use super::{DOMAINS, Key};
use crate::id::{SnapshotId, SnapshotName, TagName, VmUuid};
use crate::unit::Seconds;

/// The suffixes below a tag.
pub mod tag_suffix {
    /// `user` if people may remove it.
    pub const TYPE: &str = "/type";
    /// Whether it cannot be removed.
    pub const PROTECTED: &str = "/protected";
}

/// The suffixes below a snapshot of a VM.
pub mod vm_snapshot_suffix {
    /// When it was taken.
    pub const TIMESTAMP: &str = "/timestamp";
    /// The definition at that time.
    pub const XML: &str = "/xml";
    /// The volume snapshots it is made of, comma-separated.
    pub const VOLUMES: &str = "/rbdsnaplist";
}

/// `/domains/{uuid}/tags`: a parent. Written by: API, when the VM is made.
#[must_use]
pub fn vm_tags(vm: VmUuid) -> Key<()> {
    Key::new(format!("{DOMAINS}/{vm}{TAGS}"))
}

/// `/domains/{uuid}/snapshots`: a parent. Written by: API, when the VM is made.
#[must_use]
pub fn vm_snapshots(vm: VmUuid) -> Key<()> {
    Key::new(format!("{DOMAINS}/{vm}{SNAPSHOTS}"))
}

fn tag_at<T>(vm: VmUuid, tag: &TagName, suffix: &str) -> Key<T> {
    Key::new(format!("{DOMAINS}/{vm}{TAGS}/{tag}{suffix}"))
}

/// `/domains/{uuid}/tags/{tag}`: the tag's name once more. Written by: API.
#[must_use]
pub fn vm_tag(vm: VmUuid, tag: &TagName) -> Key<String> {
    tag_at(vm, tag, "")
}

/// `/domains/{uuid}/tags/{tag}/type`: `user` if people may remove it. Written by: API.
#[must_use]
pub fn vm_tag_type(vm: VmUuid, tag: &TagName) -> Key<String> {
    tag_at(vm, tag, tag_suffix::TYPE)
}

/// `/domains/{uuid}/tags/{tag}/protected`. Written by: API.
#[must_use]
pub fn vm_tag_protected(vm: VmUuid, tag: &TagName) -> Key<bool> {
    tag_at(vm, tag, tag_suffix::PROTECTED)
}

fn snapshot_at<T>(vm: VmUuid, snapshot: &SnapshotName, suffix: &str) -> Key<T> {
    Key::new(format!("{DOMAINS}/{vm}{SNAPSHOTS}/{snapshot}{suffix}"))
}

/// `/domains/{uuid}/snapshots/{snapshot}`: its name once more.
///
/// Written by: API; the node that takes or removes it.
#[must_use]
pub fn vm_snapshot(vm: VmUuid, snapshot: &SnapshotName) -> Key<String> {
    snapshot_at(vm, snapshot, "")
}

/// `/domains/{uuid}/snapshots/{snapshot}/timestamp`: UNIX seconds by the clock of the node that took it.
///
/// Written by: as [`vm_snapshot`].
#[must_use]
pub fn vm_snapshot_timestamp(vm: VmUuid, snapshot: &SnapshotName) -> Key<Seconds> {
    snapshot_at(vm, snapshot, vm_snapshot_suffix::TIMESTAMP)
}

/// `/domains/{uuid}/snapshots/{snapshot}/xml`: the definition at that time. Written by: as [`vm_snapshot`].
#[must_use]
pub fn vm_snapshot_xml(vm: VmUuid, snapshot: &SnapshotName) -> Key<Arc<str>> {
    snapshot_at(vm, snapshot, vm_snapshot_suffix::XML)
}

/// `/domains/{uuid}/snapshots/{snapshot}/rbdsnaplist`. Written by: as [`vm_snapshot`].
#[must_use]
pub fn vm_snapshot_volumes(vm: VmUuid, snapshot: &SnapshotName) -> Key<Vec<SnapshotId>> {
    snapshot_at(vm, snapshot, vm_snapshot_suffix::VOLUMES)
}
