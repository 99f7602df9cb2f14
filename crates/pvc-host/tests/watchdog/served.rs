//! A device behind the kernel's calls keeps the contract.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pvc_host::real::KernelWatchdog;
use pvc_host::{Watchdog, WatchdogError};
use tempfile::TempDir;

use crate::{LONG, Mode, Site, State, cases};

/// More than anything takes, even on a busy machine.
const SOON: Duration = Duration::from_secs(30);

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/watchdog/device.py");

struct Served {
    program: Child,
    folder: TempDir,
}

impl Served {
    async fn start(mode: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut program = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "/usr/bin/python3", PROGRAM])
            .arg(folder.path())
            .arg(mode)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while !fs::exists(folder.path().join("state")).unwrap() {
            let ended = program.try_wait().unwrap();
            assert!(ended.is_none(), "no watchdog is served: is python3-fusepy installed?");
            assert!(began.elapsed() < SOON, "no watchdog is served");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { program, folder }
    }

    fn door(&self) -> KernelWatchdog {
        KernelWatchdog::new(self.folder.path().join("watchdog"))
    }

    /// The timeout that the device has.
    fn timeout(&self) -> u64 {
        self.figure("timeout")
    }

    fn figure(&self, name: &str) -> u64 {
        let state = fs::read_to_string(self.folder.path().join("state")).unwrap();
        let mut figures = state.split(' ').filter_map(|figure| figure.split_once('='));
        figures.find(|(found, _)| *found == name).unwrap().1.parse().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Asked to end, it takes its mount away.
        let pid = Pid::from_raw(self.program.id().try_into().unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
        self.program.wait().unwrap();
    }
}

impl Site for Served {
    type Door = KernelWatchdog;

    fn open(&self) -> KernelWatchdog {
        self.door()
    }

    fn state(&self) -> State {
        State {
            armed: self.figure("armed") == 1,
            held: self.figure("held") == 1,
            fired: self.figure("fired") == 1,
            feeds: self.figure("feeds").try_into().unwrap(),
        }
    }

    async fn until(&self, holds: impl Fn(State) -> bool + Send) {
        let began = Instant::now();
        while !holds(self.state()) {
            assert!(began.elapsed() < SOON, "waited too long: {:?}", self.state());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Whether a device can be served here.
#[expect(clippy::print_stderr, reason = "says why a test was left out")]
fn can_serve() -> bool {
    if std::env::var_os("PVC_TEST_NO_SERVICES").is_some() {
        return false;
    }
    let usable = fs::OpenOptions::new().read(true).write(true).open("/dev/fuse");
    if let Err(error) = &usable {
        eprintln!("not tested: no watchdog can be served without /dev/fuse: {error}");
    }
    usable.is_ok()
}

#[tokio::test]
async fn the_kernels_watchdog_keeps_the_contract() {
    if can_serve() {
        cases::all(async |mode| {
            Served::start(match mode {
                Mode::Usual => "usual",
                Mode::Short => "short",
                Mode::Unstoppable => "unstoppable",
            })
            .await
        })
        .await;
    }
}

#[tokio::test]
async fn a_device_with_one_timeout_says_which() {
    if !can_serve() {
        return;
    }
    let site = Served::start("fixed").await;
    let mut door = site.door();
    assert_eq!(door.arm(LONG).unwrap(), Duration::from_secs(7));
    assert_eq!(site.timeout(), 7);
    door.disarm().unwrap();
    site.until(|state| !state.armed).await;
}

#[tokio::test]
async fn a_device_that_a_dead_program_would_disarm_is_refused() {
    if !can_serve() {
        return;
    }
    let site = Served::start("careless").await;
    let refused = site.door().arm(LONG);
    assert!(matches!(refused, Err(WatchdogError::DisarmsItself { .. })), "{refused:?}");
    site.until(|state| !state.armed && !state.held).await;
}

#[test]
fn a_machine_may_have_no_watchdog() {
    let path = Path::new("/nonexistent/watchdog");
    let absent = KernelWatchdog::new(path).arm(LONG);
    assert!(matches!(absent, Err(WatchdogError::Absent { path: at }) if at == path));
    // What is no watchdog at all is refused, not fed for ever.
    let file = tempfile::NamedTempFile::new().unwrap();
    let refused = KernelWatchdog::new(file.path()).arm(LONG);
    assert!(matches!(refused, Err(WatchdogError::Refused { .. })), "{refused:?}");
}
