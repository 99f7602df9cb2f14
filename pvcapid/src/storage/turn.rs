//! No more than a few images are received at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::ApiError;

/// How many are. One takes two of Ceph's programs and as much of the network as there is; more at once
/// are not done sooner.
const AT_ONCE: usize = 4;

/// Who may receive an image. Cloning shares it.
#[derive(Clone)]
pub(super) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Turns {
    /// A turn, until the answer is dropped; refused if all are taken. Nobody waits here: an image may
    /// take hours to come.
    pub(super) fn take(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| {
            let message = format!(
                "ERROR: {AT_ONCE} images are being received already; upload it when one of them is \
                 done."
            );
            ApiError::too_many("too-many-uploads", message)
        })
    }
}
