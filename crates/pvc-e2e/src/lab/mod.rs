//! A running lab in the hands of one test.
//!
//! A test takes the lab for itself, acts through `pvc` as a person would, looks with the
//! hosts' own tools, and leaves the cluster as it was: every VM it made is gone again, every
//! node is in service. When it fails it shows what the daemons logged meanwhile.
//!
//! What can go wrong here ends the test, so that a test reads as the story it tells.

mod act;
mod census;
mod console;
mod dice;
mod fault;
mod fence;
mod guest;
mod look;
mod network;
mod process;
mod program;
mod record;
mod settings;
mod storage;
mod tidy;
mod wait;

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use fault::Status;
use tempfile::TempDir;

pub use census::Census;
pub use console::{Clock, Console, Line};
pub use dice::Dice;
pub use fence::{Vigil, is_over, proved_by};
pub use network::Stand;
pub use program::{Program, Said};
pub use record::Boot;
pub use settings::with_usual_watchdog;
pub use storage::{POOL, SPARE_DISKS};
pub use wait::{throughout, until, until_every};

/// How long a command on a host or of the client may take when it waits for nothing.
const COMMAND: Duration = Duration::from_secs(30);

/// How long another test may hold the lab.
const TURN: Duration = Duration::from_secs(15 * 60);

/// Names the lab's directory where it is not the usual one: another directory, another lab.
const DIR_VARIABLE: &str = "PVC_LAB_DIR";

/// The VMs that tests make are named so.
const PREFIX: &str = "e2e-";

/// The lab, for as long as a test runs.
#[derive(Debug)]
pub struct Lab {
    program: Program,
    hosts: Vec<String>,
    /// Whether they have a Ceph.
    has_storage: bool,
    /// What the hosts share.
    shared: PathBuf,
    /// Definitions of VMs.
    dir: TempDir,
    /// When the test began, in the hosts' own time.
    since: Duration,
    _alone: File,
}

impl Lab {
    /// Takes the lab, ends all faults, waits until its cluster is at rest, and removes what a test
    /// that was interrupted left there.
    ///
    /// # Panics
    /// When there is no lab, or it does not come to rest.
    #[must_use]
    #[track_caller]
    pub fn take() -> Self {
        let lab = Self::open().expect("these tests need a lab that is up");
        lab.clean().expect("what was left of another test goes away");
        lab
    }

    fn open() -> Result<Self> {
        let program = Program::from_env()?;
        let alone = File::create(lock())?;
        until("the other tests", TURN, || alone.try_lock().map_err(|error| error.to_string()));
        let Status { shared, hosts, ceph } = Status::of(&program)?;
        let hosts: Vec<String> = hosts.into_iter().map(|host| host.name).collect();
        ensure!(!hosts.is_empty(), "the lab is down: `cargo xtask lab up` brings it up");
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let dir = TempDir::new()?;
        Ok(Self { program, hosts, has_storage: ceph, shared, dir, since, _alone: alone })
    }

    /// Ends all faults, removes the tests' VMs and has every node in service, as at the end.
    ///
    /// # Panics
    /// When it does not come to that.
    #[track_caller]
    pub fn restore(&self) {
        self.clean().unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// The lab's hosts, which are the cluster's nodes.
    #[must_use]
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }
}

/// What whoever uses this lab takes.
fn lock() -> PathBuf {
    let dir = env::var_os(DIR_VARIABLE).map(PathBuf::from);
    let name = dir.as_deref().and_then(Path::file_name).unwrap_or(OsStr::new("pvc-lab"));
    Path::new("/run/lock").join(format!("{}-e2e.lock", name.to_string_lossy()))
}

impl Drop for Lab {
    fn drop(&mut self) {
        if thread::panicking() {
            self.show();
        }
        if let Err(error) = self.clean() {
            tidy::say(&format!("the cluster was not left clean: {error:#}"));
            // A second panic would hide the first.
            assert!(thread::panicking(), "the cluster was not left clean: {error:#}");
        }
    }
}
