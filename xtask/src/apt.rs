//! Debian packages that our commands need on this machine, installed when they are missing.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::run::Run;
use crate::say;

/// Downloads may be slow; a hanging mirror must still end.
const INSTALL_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Makes sure that `packages` are installed, installing only what is missing.
///
/// # Errors
/// When something is missing and we are not root, or when apt fails.
pub(crate) fn ensure(packages: &[&str]) -> Result<()> {
    let missing = missing(packages)?;
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if !nix::unistd::geteuid().is_root() {
        bail!("missing packages; install them with: sudo apt-get install {names}");
    }
    say::step(&format!("install {names}"), || {
        apt(&["update"])?;
        let install = ["install", "--yes", "--no-install-recommends"];
        apt(&[&install[..], &missing].concat())
    })
}

/// Which of `packages` are not installed.
///
/// # Errors
/// When dpkg cannot be asked.
pub(crate) fn missing<'a>(packages: &[&'a str]) -> Result<Vec<&'a str>> {
    let known = Run::new(["dpkg-query", "--show"])
        .arg("--showformat=${db:Status-Status} ${binary:Package}\\n")
        .args(packages)
        .finish()
        .context("this is not a Debian machine")?
        .stdout;
    Ok(packages.iter().copied().filter(|name| !is_installed(&known, name)).collect())
}

/// Reads dpkg-query's answer; a foreign architecture is not what was asked for.
fn is_installed(known: &str, package: &str) -> bool {
    known.lines().any(|line| {
        line.strip_prefix("installed ").and_then(|name| name.split(':').next()) == Some(package)
    })
}

fn apt(arguments: &[&str]) -> Result<()> {
    Run::new(["apt-get", "--quiet"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .limit(INSTALL_LIMIT)
        .done()
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_was_removed_is_not_installed() {
        let known = "installed gcc\nconfig-files zookeeper\ninstalled libvirt-dev:amd64\n";
        assert!(is_installed(known, "gcc"));
        assert!(is_installed(known, "libvirt-dev"));
        assert!(!is_installed(known, "zookeeper"));
        assert!(!is_installed(known, "libvirt"));
    }
}
