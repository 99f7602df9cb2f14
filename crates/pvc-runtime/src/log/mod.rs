//! Logging: lines for people, to stdout, to a file and into a ring for the cluster.
//!
//! ```text
//!  tracing event ──▶ Layer ──▶ line ──▶ bounded queue ──▶ writer thread ──▶ stdout, file
//!                                  └──▶ Ring ──▶ publisher task ──▶ /logs/<node>/messages
//! ```
//! Whoever logs never waits: when the disk or the journal is stuck, lines are counted and
//! dropped, and the gap is told once writing goes on.

mod date;
mod layer;
mod line;
mod publish;
mod ring;
mod writer;

use std::io;
use std::path::PathBuf;

use tracing::Subscriber;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use date::local_time;
use layer::PromptLayer;
pub use line::mark;
pub use publish::{Sink, publish};
pub use ring::Ring;
use writer::Stdout;
pub use writer::{Flush, Reopen};

/// Where a daemon's log goes and what it looks like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the daemon: of its log file, and in the ring.
    pub daemon: &'static str,
    /// Whether details of our own crates are logged too.
    pub debug: bool,
    /// Whether lines go to stdout.
    pub stdout: bool,
    /// The directory of the log file, if there is one.
    pub directory: Option<PathBuf>,
    /// Whether prompts are coloured arrows rather than words.
    pub colours: bool,
    /// Whether lines carry the date.
    pub dates: bool,
    /// How many lines the ring keeps; 0 for none.
    pub ring_lines: usize,
}

/// What [`start`] gives back.
#[derive(Debug)]
pub struct Logging {
    /// The last lines, for publishing.
    pub ring: Ring,
    /// Makes the file be opened anew, after it was rotated.
    pub reopen: Reopen,
    /// Writes what is queued when dropped. Keep it until the end of `main`.
    pub flush: Flush,
}

/// Starts logging for the whole process. To be called once.
///
/// # Errors
/// When the log file cannot be opened, or logging was started before.
pub fn start(settings: &Settings) -> io::Result<Logging> {
    let stdout = || -> Stdout { Box::new(io::stdout()) };
    let (subscriber, logging) = prepare(settings, stdout)?;
    subscriber.try_init().map_err(io::Error::other)?;
    Ok(logging)
}

/// What takes the events, and what is given back.
fn prepare(
    settings: &Settings,
    stdout: impl FnOnce() -> Stdout,
) -> io::Result<(impl Subscriber + Send + Sync, Logging)> {
    let ring = Ring::new(settings.ring_lines);
    let file = settings
        .directory
        .as_ref()
        .map(|directory| directory.join(format!("{}.log", settings.daemon)));
    let (queue, flush) = writer::start(settings.stdout.then(stdout), file)?;
    let reopen = queue.reopen();
    let layer = PromptLayer::new(settings, queue, ring.clone());
    let ours = if settings.debug { tracing::Level::DEBUG } else { tracing::Level::INFO };
    // Libraries speak in their own terms: only what disturbs them is of interest.
    let levels = Targets::new().with_default(tracing::Level::WARN).with_target("pvc", ours);
    let subscriber = tracing_subscriber::registry().with(levels).with(layer);
    Ok((subscriber, Logging { ring, reopen, flush }))
}

#[cfg(test)]
mod tests;
