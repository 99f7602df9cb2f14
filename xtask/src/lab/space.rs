//! The lab's own mount namespace.
//!
//! Any process elsewhere on the machine that copies the machine's mount namespace (`ip netns
//! exec`, `unshare`, a container) would pin a host's disk past its power cut. So the hosts' file
//! systems are mounted in a namespace nobody copies, held by a process that only sleeps.

use std::ffi::OsStr;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

use super::background;
use super::cgroup::Group;
use super::layout::Lab;
use crate::run::Run;
use crate::wait;

/// The program that holds the namespace once it is complete.
const HOLDER: &str = "sleep";

/// Shared within the lab: an unmount must reach the hosts' own namespaces too.
const PREPARE: &str =
    r#"mount --bind "$0" "$0" && mount --make-shared "$0" && exec sleep infinity"#;

/// Makes the namespace unless it is there.
///
/// # Errors
/// When the machine does not permit it.
pub(crate) fn make(lab: &Lab) -> Result<()> {
    if holder(lab).is_some() {
        return Ok(());
    }
    let group = group(lab);
    group.make()?;
    let mut command = group.command();
    command
        .args(["setsid", "--fork", "unshare", "--mount", "--propagation", "slave"])
        .args(["sh", "-c", PREPARE])
        .arg(lab.dir());
    background::start(lab, command, "mounts")?;
    let every = Duration::from_millis(5);
    wait::until("a mount namespace", Duration::from_secs(5), every, || Ok(holder(lab)))?;
    Ok(())
}

/// Whether the namespace is there.
pub(crate) fn exists(lab: &Lab) -> bool {
    holder(lab).is_some()
}

/// A program that will see the lab's mounts.
///
/// # Errors
/// When the namespace is gone.
pub(crate) fn inside<S: AsRef<OsStr>>(lab: &Lab, argv: impl IntoIterator<Item = S>) -> Result<Run> {
    Ok(Run::new(["nsenter".to_owned(), entry(lab)?, "--".to_owned()]).args(argv))
}

/// The option that makes `nsenter` enter the namespace.
///
/// # Errors
/// When the namespace is gone.
pub(crate) fn entry(lab: &Lab) -> Result<String> {
    let holder = holder(lab).context("the lab's mount namespace is gone")?;
    Ok(format!("--mount=/proc/{holder}/ns/mnt"))
}

fn group(lab: &Lab) -> Group {
    Group::of_machinery(lab, "mounts")
}

fn holder(lab: &Lab) -> Option<u32> {
    let is_ready = |process: &u32| {
        fs::read_to_string(format!("/proc/{process}/comm")).is_ok_and(|name| name.trim() == HOLDER)
    };
    group(lab).processes("").into_iter().find(is_ready)
}
