//! How a daemon's process ends, for its supervisor.

use std::process::ExitCode;

/// Why the process ends. The numbers are those of `sysexits.h` where one fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done, or the daemon was asked to stop.
    Success,
    /// Something failed for which there is no better number.
    Failure,
    /// The command line was not understood.
    Usage,
    /// The configuration is missing or wrong. Starting again will not mend it.
    Config,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Success => Self::SUCCESS,
            Exit::Failure => Self::FAILURE,
            Exit::Usage => Self::from(64),
            Exit::Config => Self::from(78),
        }
    }
}
