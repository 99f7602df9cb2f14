//! Whose processes the light lab's are: ours, or nobody's where we are root.
//!
//! libvirt that runs as root is the machine's, with the machine's directories; and plain processes
//! of a test have no business as root.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Uid, User};

use crate::run::Run;

const NOBODY: &str = "nobody";

/// Whether we may do anything.
pub(crate) fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Lets everybody read what we write from now on: the lab's account, if it is not ours, has to.
pub(crate) fn open_up() {
    umask(Mode::from_bits_truncate(0o022));
}

/// Makes `command` run as the lab's account.
///
/// # Errors
/// When the machine does not know nobody.
pub(crate) fn take_on(command: &mut Command) -> Result<()> {
    if is_root() {
        let nobody = nobody()?;
        // Leaves the supplementary groups, too.
        command.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw());
    }
    Ok(())
}

/// Gives a directory and all in it to the lab's account.
///
/// # Errors
/// When it cannot be given away.
pub(crate) fn own(path: &Path) -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let nobody = nobody()?;
    let owner = format!("{}:{}", nobody.uid, nobody.gid);
    Run::new(["chown", "--recursive", "--no-dereference", &owner]).arg(path).done().map(drop)
}

fn nobody() -> Result<User> {
    let known = User::from_name(NOBODY).context("cannot look up an account")?;
    known.with_context(|| format!("this machine has no account `{NOBODY}`"))
}
