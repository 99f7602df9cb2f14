//! Storage as requests change it: in Ceph and in the tree, which is two places.
//!
//! What is made is announced in the tree first, done by Ceph, and then recorded in the tree with
//! what Ceph says of it; what is removed goes from Ceph first. So a daemon that is killed in
//! between leaves nothing in Ceph that the tree does not know, and the same request asked again
//! goes on from there. A request is carried out to its end although its client may be gone.

mod door;
mod head;
mod hold;
mod incoming;
mod osd;
mod pool;
mod snapshot;
mod turn;
mod upload;
mod volume;

use std::future::Future;
use std::sync::Arc;

use pvc_ceph::{CephError, Image, ImageFormat, Osds, Pools, Received, Uploads, Volumes};
use pvc_common::id::{PoolName, SnapshotId, VolumeId};

pub(crate) use door::Act;
use door::{Door, File};
use hold::Holds;
pub(crate) use osd::{set_flag, set_in};
pub(crate) use pool::{create_pool, remove_pool, set_pgs};
pub(crate) use snapshot::{create_snapshot, remove_snapshot, rename_snapshot, roll_back};
use turn::Turns;
pub(crate) use upload::{Announced, upload};
pub(crate) use volume::{
    clone_volume, create_volume, grow_volume, remove_volume, rename_volume, scan,
};

use crate::api::ApiError;
use crate::app::App;

/// Any Ceph cluster, and what is being done to it. Cloning shares it.
#[derive(Clone)]
pub struct Storage {
    door: Arc<dyn Door>,
    holds: Holds,
    uploads: Turns,
}

impl Storage {
    /// Hides which cluster it is.
    pub fn new(ceph: impl Osds + Pools + Uploads + Volumes) -> Self {
        Self { door: Arc::new(ceph), holds: Holds::default(), uploads: Turns::default() }
    }

    async fn act(&self, act: Act) -> Result<(), CephError> {
        self.door.act(&act).await
    }

    async fn pools(&self) -> Result<Vec<PoolName>, CephError> {
        self.door.pools().await
    }

    async fn volume(&self, volume: &VolumeId) -> Result<Image, CephError> {
        self.door.volume(volume).await
    }

    async fn snapshot(&self, snapshot: &SnapshotId) -> Result<Image, CephError> {
        self.door.snapshot(snapshot).await
    }

    async fn receive(&self, volume: &VolumeId, file: File<'_>) -> Result<(), CephError> {
        self.door.receive(volume, file).await
    }

    async fn received(
        &self,
        volume: &VolumeId,
        format: ImageFormat,
    ) -> Result<Received, CephError> {
        self.door.received(volume, format).await
    }
}

impl From<CephError> for ApiError {
    fn from(error: CephError) -> Self {
        match &error {
            CephError::NoAnswer { .. } => Self::unavailable(
                "The storage cluster does not answer; what was asked may still be done. \
                 Ask again later.",
                error.to_string(),
            ),
            CephError::Absent { .. } => {
                Self::unavailable("The storage cluster cannot be reached.", error.to_string())
            }
            CephError::Unreadable { .. } | CephError::Failed { .. } | CephError::Input { .. } => {
                Self::internal(&error)
            }
            CephError::NoPool { .. }
            | CephError::NoImage { .. }
            | CephError::NoSnapshot { .. }
            | CephError::NoOsd { .. } => {
                Self::refused("lost", format!("ERROR: In the storage cluster {error}."))
            }
            CephError::Exists { .. } => Self::refused(
                "name-in-use",
                format!("ERROR: In the storage cluster {error}, of which PVC knows nothing."),
            ),
            CephError::InUse { .. } => Self::refused("in-use", format!("ERROR: {error}.")),
            CephError::Shrinks { .. } => Self::refused("shrinks", format!("ERROR: {error}.")),
            CephError::Refused { why, .. } => {
                Self::refused("ceph-refused", format!("ERROR: The storage cluster refused: {why}"))
            }
        }
    }
}

/// Carries a request out to its end, although whoever asked may be gone before. What it changes is
/// held meanwhile.
async fn carry_out<T, W>(
    app: &App,
    changed: Vec<String>,
    work: impl FnOnce(App) -> W,
) -> Result<T, ApiError>
where
    T: Send + 'static,
    W: Future<Output = Result<T, ApiError>> + Send + 'static,
{
    let held = app.storage().holds.hold(&changed)?;
    let work = work(app.clone());
    let work = async move {
        let _held = held;
        work.await
    };
    tokio::spawn(tracing::Instrument::in_current_span(work))
        .await
        .unwrap_or_else(|error| Err(ApiError::internal(&error)))
}
