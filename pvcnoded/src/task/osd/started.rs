//! Which OSDs were started since the machine was: files that go with its run.

use std::fs;
use std::path::PathBuf;

use pvc_common::id::Fsid;

/// The OSDs that were started.
#[derive(Clone, Debug)]
pub struct Started(PathBuf);

impl Started {
    /// Told by files in this folder, which the end of the machine's run empties.
    #[must_use]
    pub const fn in_folder(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Whether one was.
    pub(super) fn has(&self, osd: Fsid) -> bool {
        self.0.join(osd.to_string()).exists()
    }

    /// Writes down that one was.
    pub(super) fn add(&self, osd: Fsid) {
        let written =
            fs::create_dir_all(&self.0).and_then(|()| fs::write(self.0.join(osd.to_string()), ""));
        if let Err(error) = written {
            // Then the next daemon starts it again should it have been stopped: better than not at all.
            tracing::warn!(%error, osd.fsid = %osd, "not written down that it was started");
        }
    }
}
