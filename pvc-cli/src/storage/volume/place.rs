//! Which volume is meant.

use std::fmt;

use clap::Args;

/// The volume, by its pool and name.
#[derive(Clone, Debug, Args)]
pub(super) struct Place {
    /// Pool that holds the volume.
    pub(super) pool: String,
    /// Name of the volume.
    pub(super) name: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.pool, self.name)
    }
}
