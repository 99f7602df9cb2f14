//! `cargo xtask sim`: builds the simulator of the whole cluster, then becomes it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::run::Run;
use crate::say;
use crate::workspace::{BUILD_LIMIT, Workspace, cargo, without_our_package};

/// Builds the simulator for release and runs it with `arguments`.
///
/// # Errors
/// When the build fails; what the simulator says is its own affair.
pub(crate) fn run(arguments: &[OsString]) -> Result<()> {
    let mut command = cargo("build");
    command.args(["--quiet", "--release", "--locked", "--package", "pvc-sim"]);
    Run::of(command).limit(BUILD_LIMIT).into_file(say::terminal()?).done()?;
    let simulator = Workspace::ours()?.target_directory.join("release/pvc-sim");
    let mut command = Command::new(&simulator);
    without_our_package(command.args(arguments));
    Err(command.exec()).with_context(|| format!("cannot start {}", simulator.display()))
}
