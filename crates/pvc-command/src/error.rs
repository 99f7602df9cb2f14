//! The ways running a program goes wrong.

use std::time::Duration;

/// Why a program did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be started: not installed, not executable, no memory.
    #[error("could not start `{program}`")]
    Spawn {
        /// Which program.
        program: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// It, or something it started and left holding its output, was not done in time, or did not
    /// go on with its input. Its process group was killed.
    #[error("`{program}` was not done within {} ms", waited.as_millis())]
    TimedOut {
        /// Which program.
        program: String,
        /// The limit it was given.
        waited: Duration,
    },
    /// It ended by itself, but not with status 0.
    #[error("`{program}` failed ({}){}", ending(*code), tail(stderr))]
    Failed {
        /// Which program.
        program: String,
        /// Its exit status; `None` when a signal ended it.
        code: Option<i32>,
        /// What it wrote to its standard output.
        stdout: String,
        /// The end of what it wrote to its standard error.
        stderr: String,
    },
    /// It wrote more than the caller is ready to hold. It was killed.
    #[error("`{program}` wrote more than {limit_bytes} bytes")]
    TooMuchOutput {
        /// Which program.
        program: String,
        /// How much it was allowed.
        limit_bytes: usize,
    },
    /// What it was to read could not be read to its end. It was killed before it could take that for
    /// the end.
    #[error("the input of `{program}` broke off")]
    Input {
        /// Which program.
        program: String,
        /// What happened; [`std::io::ErrorKind::TimedOut`] if nothing came for too long.
        #[source]
        source: std::io::Error,
    },
    /// Its pipes or its exit status could not be read.
    #[error("lost contact with `{program}`")]
    Pipe {
        /// Which program.
        program: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

fn ending(code: Option<i32>) -> String {
    code.map_or_else(|| "ended by a signal".to_owned(), |code| format!("status {code}"))
}

fn tail(stderr: &str) -> String {
    let text = stderr.trim();
    if text.is_empty() { String::new() } else { format!(": {text}") }
}
