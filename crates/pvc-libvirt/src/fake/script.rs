//! How a fake guest behaves.

use std::time::Duration;

/// How a guest, and QEMU around it, behaves. The default is a well-behaved one that takes no
/// time for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Why its start is refused; `None` lets it start.
    pub refuses_start: Option<String>,
    /// How long the answer to its start takes.
    pub starts_in: Duration,
    /// What it does when the power button is pressed.
    pub on_shutdown: OnShutdown,
    /// How long a migration takes.
    pub migrates_in: Duration,
    /// How a migration ends.
    pub migration_end: MigrationEnd,
    /// How long the source keeps its stopped QEMU while the target's runs already.
    pub lingers: Duration,
}

impl Default for Guest {
    fn default() -> Self {
        Self {
            refuses_start: None,
            starts_in: Duration::ZERO,
            on_shutdown: OnShutdown::PowersOff { after: Duration::ZERO },
            migrates_in: Duration::ZERO,
            migration_end: MigrationEnd::Succeeds,
            lingers: Duration::ZERO,
        }
    }
}

/// What a guest does when the power button is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnShutdown {
    /// Powers off.
    PowersOff {
        /// How long that takes.
        after: Duration,
    },
    /// Nothing.
    Ignores,
}

/// How a migration ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MigrationEnd {
    /// The VM is on the target.
    Succeeds,
    /// The VM goes on where it was, and this is why.
    Fails(String),
    /// It does not end by itself: the guest writes faster than the network carries.
    Never,
}
