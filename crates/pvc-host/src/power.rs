//! This machine's own power.

use std::io;

/// Why the machine still runs.
#[derive(Debug, thiserror::Error)]
pub enum PowerError {
    /// The kernel refused.
    #[error("the kernel refused to power this machine off")]
    Refused {
        /// Its reason.
        #[source]
        source: io::Error,
    },
}

/// The switch of this very machine.
pub trait SelfPower: Send + Sync + 'static {
    /// Powers this machine off at once: nothing is written back, no service is stopped, no guest
    /// is asked. In a container, that is the container.
    ///
    /// The kernel quiets its devices first, which a broken one may hold up: whoever must be sure
    /// leaves a watchdog armed behind this call.
    ///
    /// # Errors
    /// The real one never returns unless it failed.
    fn cut(&self) -> Result<(), PowerError>;
}
