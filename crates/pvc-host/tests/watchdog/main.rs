//! The contract of the watchdog, kept by the fake and by a device behind the kernel's calls.
//!
//! Machines that build have no watchdog, and one that fires would end them: so a small program
//! serves one by FUSE. It needs root, `/dev/fuse` and Debian's package `python3-fusepy`.
//! `PVC_TEST_NO_SERVICES=1` leaves it out.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cases;
mod fake;
mod served;

use std::future::Future;
use std::time::Duration;

use pvc_host::Watchdog;

/// What is peculiar about a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Nothing.
    Usual,
    /// It takes no timeout longer than 5 s.
    Short,
    /// Nothing stops it.
    Unstoppable,
}

/// How a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    armed: bool,
    held: bool,
    fired: bool,
    feeds: usize,
}

/// A device, and doors to it for programs.
trait Site {
    type Door: Watchdog;

    /// A program's door.
    fn open(&self) -> Self::Door;

    /// How the device is.
    fn state(&self) -> State;

    /// Waits until the device is as it must soon be.
    fn until(&self, holds: impl Fn(State) -> bool + Send) -> impl Future<Output = ()>;
}

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(600);
