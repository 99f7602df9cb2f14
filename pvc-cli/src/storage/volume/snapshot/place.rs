//! Which snapshot is meant.

use clap::Args;
use pvc_client::call::storage::snapshot;

/// The snapshot, by the volume and its own name.
#[derive(Clone, Debug, Args)]
pub(super) struct Place {
    /// Pool that holds the volume.
    pool: String,
    /// Name of the volume.
    volume: String,
    /// Name of the snapshot.
    name: String,
}

impl Place {
    /// The place in the client's terms, and its name for people.
    pub(super) fn named(self) -> (snapshot::Place, String) {
        let Self { pool, volume, name: snapshot } = self;
        let name = format!("{pool}/{volume}@{snapshot}");
        (snapshot::Place { pool, volume, snapshot }, name)
    }
}
