//! What Ceph tells of itself.

use std::collections::BTreeMap;
use std::future::Future;

use pvc_common::id::{OsdId, PoolName};
use pvc_common::model::Json;

use crate::CephError;

/// What a cluster tells of itself at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// What `ceph status` says to people.
    pub status: String,
    /// What `ceph df` says to people.
    pub usage: String,
    /// What `ceph health` says, as JSON.
    pub health: Json,
    /// The statistics of every OSD, as the tree holds them: space in KiB, rates by second.
    pub osds: BTreeMap<OsdId, Json>,
    /// The statistics of every pool, as the tree holds them: space in bytes.
    pub pools: BTreeMap<PoolName, Json>,
}

/// A Ceph cluster that can be asked for its figures.
pub trait Statistics: Clone + Send + Sync + 'static {
    /// Asks for all of them, in as few commands as possible: their number does not depend on how
    /// many nodes, OSDs or pools there are.
    ///
    /// # Errors
    /// [`CephError`]: then there are none, not some.
    fn figures(&self) -> impl Future<Output = Result<Figures, CephError>> + Send;
}
