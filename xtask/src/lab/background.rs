//! What runs on in the background after the command that started it.

use std::fs::{File, OpenOptions};
use std::process::Command;

use anyhow::{Context, Result};

use super::layout::{DIR_VARIABLE, Lab};
use crate::run::Run;

/// Runs a command that puts itself in the background, with its output in the lab's log `name`.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn start(lab: &Lab, mut command: Command, name: &str) -> Result<()> {
    let log = log(lab, name)?;
    command.env(DIR_VARIABLE, lab.dir()).current_dir("/");
    Run::of(command).shown_as(name).into_file(log).done().map(drop)
}

/// The lab's log `name`, to be written at its end.
///
/// # Errors
/// When it cannot be opened.
pub(crate) fn log(lab: &Lab, name: &str) -> Result<File> {
    let path = lab.logs().join(name);
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))
}
