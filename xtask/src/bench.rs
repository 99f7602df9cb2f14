//! `cargo xtask bench`: builds what is measured, then becomes the program that measures.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::deb::{self, Build};
use crate::run::Run;
use crate::say;
use crate::workspace::{BUILD_LIMIT, Workspace, cargo, without_our_package};

/// Builds the programs and `pvc-bench` for release and runs it with `arguments`.
///
/// # Errors
/// When a build fails; what `pvc-bench` says is its own affair.
pub(crate) fn run(arguments: &[OsString]) -> Result<()> {
    say::step("build what is measured", || {
        deb::build(Build::Release)?;
        let mut command = cargo("build");
        command.args(["--release", "--locked", "--package", "pvc-e2e", "--bin", "pvc-bench"]);
        Run::of(command).limit(BUILD_LIMIT).into_file(say::terminal()?).done()
    })?;
    let bench = Workspace::ours()?.target_directory.join("release/pvc-bench");
    let ourselves = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(&bench);
    command.env("PVC_XTASK", ourselves);
    without_our_package(command.args(arguments));
    Err(command.exec()).with_context(|| format!("cannot start {}", bench.display()))
}
