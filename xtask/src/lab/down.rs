//! `lab down`: everything the lab made goes away; what took long to make stays, unless told.

use std::time::Duration;

use anyhow::Result;

use super::cgroup::Group;
use super::host::Host;
use super::layout::Lab;
use super::{spare, switch};
use crate::run::Run;
use crate::say;

/// What `lab down` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Down {
    /// Remove the downloaded and built image, too.
    #[arg(long)]
    wipe: bool,
}

/// Takes the lab down; nothing happens when it is not up.
///
/// # Errors
/// When something would not die or let go.
pub(crate) fn run(lab: &Lab, down: &Down) -> Result<()> {
    say::step("take the lab down", || clear(lab))?;
    if down.wipe {
        remove(&[lab.dir().to_owned()])?;
    }
    Ok(())
}

/// Ends and removes everything but the caches, whatever state it is in.
///
/// # Errors
/// When something would not die or let go.
pub(crate) fn clear(lab: &Lab) -> Result<()> {
    let group = Group::of_lab(lab);
    // With the last process goes the namespace that the disks are mounted in.
    group.kill()?;
    for host in Host::first(Host::MOST) {
        switch::forget(lab, host)?;
    }
    switch::remove(lab)?;
    spare::release(lab)?;
    group.remove()?;
    let parts = [lab.run(), lab.dir().join("hosts"), lab.dir().join("bin")];
    remove(&[&parts[..], &[lab.client(), lab.logs(), lab.shared()]].concat())
}

fn remove(paths: &[std::path::PathBuf]) -> Result<()> {
    Run::new(["rm", "-rf", "--one-file-system"])
        .args(paths)
        .limit(Duration::from_secs(120))
        .done()
        .map(drop)
}
