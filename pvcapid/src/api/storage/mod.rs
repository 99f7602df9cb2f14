//! Storage: what Ceph says of itself, its OSDs, pools, volumes and their snapshots.

pub(super) mod benchmark;
pub(super) mod option;
pub(super) mod osd;
pub(super) mod pool;
pub(super) mod root;
pub(super) mod snapshot;
pub(super) mod text;
pub(super) mod volume;
