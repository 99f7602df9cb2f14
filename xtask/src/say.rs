//! The only place of this program that prints: data on stdout, the rest on stderr.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "every other module prints through this one"
)]

use std::fs::File;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Prints one line of data, for whoever reads our standard output.
pub(crate) fn data(line: &str) {
    println!("{line}");
}

/// Tells the person at the terminal something.
pub(crate) fn note(line: &str) {
    eprintln!("{line}");
}

/// Runs one long piece of work, saying what it is before and how long it took after.
pub(crate) fn step<T>(title: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    eprintln!("[      ] {title} ...");
    let started = Instant::now();
    let result = work();
    let took = seconds(started.elapsed());
    match &result {
        Ok(_) => eprintln!("[{took:>6}] {title}"),
        Err(_) => eprintln!("[{took:>6}] {title}: FAILED"),
    }
    result
}

/// Our standard error, for a program that is to talk to the person at the terminal itself.
///
/// # Errors
/// When it is closed.
pub(crate) fn terminal() -> anyhow::Result<File> {
    Ok(File::from(std::io::stderr().as_fd().try_clone_to_owned()?))
}

/// A duration as people read it: `0.4 s`, `132 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 100.0 { format!("{seconds:.1} s") } else { format!("{seconds:.0} s") }
}
