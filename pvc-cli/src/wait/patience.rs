//! For how long an API that does not answer is waited for.

use std::time::{Duration, Instant};

/// Longer than it takes a new primary coordinator to take the API over, after a failure
/// that has to be noticed first.
const LIMIT: Duration = Duration::from_secs(90);

/// Begins when the API was last heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience(Instant);

impl Patience {
    /// Whether to try once more.
    pub(crate) fn lasts(self) -> bool {
        self.0.elapsed() < LIMIT
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self(Instant::now())
    }
}
