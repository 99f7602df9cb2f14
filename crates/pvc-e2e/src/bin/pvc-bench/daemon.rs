//! A daemon under measurement: a child process whose log tells when it got how far.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a daemon may take to say something that is waited for.
const LIMIT: Duration = Duration::from_secs(120);
/// How much of its log is shown of a daemon that fails.
const LAST_LINES: usize = 20;

/// What the daemons say at once when ZooKeeper has given them a session.
pub(crate) const SESSION: &str = "zookeeper: session 1 begins";
/// What the node daemon says when it does all its work.
pub(crate) const SERVES: &str = "pvcnoded serves";

/// What the node daemon says when it has seen to the networks of VMs for the first time.
pub(crate) const NETWORKS: &str = "networks of VMs: 500 in order";

/// What is listened for; each counts once.
const MARKS: [&str; 3] = [SESSION, SERVES, NETWORKS];

/// A running daemon. Dropping it ends it as `kill -9` does, which it has to stand anyway.
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
    marks: Receiver<(&'static str, Instant)>,
}

impl Daemon {
    /// Starts `program`, with its log in `log`.
    pub(crate) fn start(mut program: Command, log: &Path) -> Result<Self> {
        let name = program.get_program().to_owned();
        let errors = File::options().create(true).append(true).open(log)?;
        program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let mut child = program.spawn().with_context(|| format!("cannot start {name:?}"))?;
        let output = child.stdout.take().context("the daemon's output was asked for")?;
        // Each mark is sent once, so that the reader never waits and the daemon never has to.
        let (heard, marks) = sync_channel(MARKS.len());
        let copy = File::options().append(true).open(log)?;
        std::thread::spawn(move || listen(BufReader::new(output), copy, &heard));
        Ok(Self { child, log: log.to_owned(), marks })
    }

    /// Waits until the daemon says `mark`; returns when it was heard.
    pub(crate) fn said(&self, mark: &str) -> Result<Instant> {
        let deadline = Instant::now() + LIMIT;
        loop {
            match self.marks.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((said, at)) if said == mark => return Ok(at),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    bail!("never said after {} s: {mark}\n{}", LIMIT.as_secs(), self.last_words())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("ended before it said: {mark}\n{}", self.last_words())
                }
            }
        }
    }

    /// A figure of `/proc/<pid>/status`, such as `VmRSS`, in KiB.
    pub(crate) fn memory_kib(&self, name: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let figure = |line: &str| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse_kib();
        status.lines().find_map(figure).with_context(|| format!("the kernel shows no {name}"))
    }

    /// The end of the log.
    pub(crate) fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_else(|error| error.to_string());
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            crate::figure::progress(&format!("a daemon could not be ended: {error}"));
        }
    }
}

/// Copies the daemon's output to its log, and tells the first time of each mark.
fn listen(output: impl BufRead, mut copy: impl Write, heard: &SyncSender<(&'static str, Instant)>) {
    let mut awaited = MARKS.to_vec();
    for line in output.lines().map_while(Result::ok) {
        let now = Instant::now();
        let said = awaited.iter().position(|mark| line.contains(mark));
        let gone = said.is_some_and(|at| heard.send((awaited.swap_remove(at), now)).is_err());
        // The log is for failures only; but a daemon whose output nobody reads would stand still.
        let unwritten = writeln!(copy, "{line}").is_err();
        if gone && unwritten {
            return;
        }
    }
}

/// Reads figures of the kernel.
trait Kib {
    /// `1234 kB` as a number.
    fn parse_kib(&self) -> Option<u64>;
}

impl Kib for str {
    fn parse_kib(&self) -> Option<u64> {
        self.strip_suffix(" kB")?.trim().parse().ok()
    }
}
