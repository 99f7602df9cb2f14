//! What the machine must permit and have before a lab can be made on it.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use nix::unistd::Uid;

use super::cgroup;
use crate::apt;
use crate::run::Run;

/// Debian packages whose programs make the lab.
const NEEDED: &[&str] = &[
    "binutils",
    "ipmitool",
    "iproute2",
    "iputils-ping",
    "mmdebstrap",
    "nftables",
    "openipmi",
    "procps",
    "python3-fusepy",
    "systemd-container",
];

const INSTEAD: &str = "a machine without it can run `cargo xtask lab up --light`";

/// Fails unless we are root.
///
/// # Errors
/// With the way to become it, and the way without it.
pub(crate) fn check_root() -> Result<()> {
    ensure!(Uid::effective().is_root(), "the lab needs root: `sudo cargo xtask lab`; {INSTEAD}");
    Ok(())
}

/// Fails unless we may make namespaces and control groups.
///
/// # Errors
/// With what is missing, and the way without it.
pub(crate) fn check() -> Result<()> {
    let namespaces = ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "true"];
    if let Err(error) = Run::new(namespaces).done() {
        bail!("this machine does not permit namespaces ({error:#}); {INSTEAD}");
    }
    ensure!(
        cgroup::unified().join("cgroup.procs").exists()
            && Path::new("/proc/self/ns/cgroup").exists(),
        "this machine has no unified control groups; {INSTEAD}"
    );
    Ok(())
}

/// Installs what is missing of the tools.
///
/// # Errors
/// When apt fails.
pub(crate) fn install_tools() -> Result<()> {
    apt::ensure(NEEDED)
}
