//! Debian packages that our commands need on this machine, installed when they are missing.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::run::Run;
use crate::say;

/// Downloads may be slow; a hanging mirror must still end.
const INSTALL_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Where packages ask whether the services they bring may start (invoke-rc.d(8)).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// While this is there no service starts because its package is installed: tests start their own, and
/// nobody asked for a name server or a database on this machine. A policy that was there before stays.
struct NoServices(Option<PathBuf>);

impl NoServices {
    fn declare(policy: &Path) -> Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(policy);
        match file {
            Ok(mut file) => {
                let ours = Self(Some(policy.to_owned()));
                file.write_all(b"#!/bin/sh\nexit 101\n")?;
                Ok(ours)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Self(None)),
            Err(error) => Err(error).context(format!("cannot write {}", policy.display())),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(policy) = &self.0
            && let Err(error) = fs::remove_file(policy)
        {
            say::note(&format!("{} could not be removed: {error}", policy.display()));
        }
    }
}

/// How often apt is asked: for one of another release than the others it removes that, and has it anew
/// when that is missing.
const ROUNDS: usize = 3;

/// Makes sure that `packages` are installed, installing only what is missing.
///
/// # Errors
/// When something is missing and we are not root, or when apt fails.
pub(crate) fn ensure(packages: &[&str]) -> Result<()> {
    for _ in 0..ROUNDS {
        let missing = missing(packages)?;
        if missing.is_empty() {
            return Ok(());
        }
        install(&missing)?;
    }
    let left = missing(packages)?;
    ensure!(left.is_empty(), "apt installed everything, and {} is missing", left.join(" "));
    Ok(())
}

fn install(missing: &[&str]) -> Result<()> {
    let names = missing.join(" ");
    if !nix::unistd::geteuid().is_root() {
        bail!("missing packages; install them with: sudo apt-get install {names}");
    }
    say::step(&format!("install {names}"), || {
        apt(&["update"])?;
        let _quiet = NoServices::declare(Path::new(POLICY))?;
        let install = ["install", "--yes", "--no-install-recommends"];
        apt(&[&install[..], missing].concat())
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
    fn no_service_starts_meanwhile_and_a_policy_of_others_stays() {
        let dir = tempfile::tempdir().unwrap();
        let policy = dir.path().join("policy-rc.d");
        drop(NoServices::declare(&policy).unwrap());
        assert!(!policy.exists());
        let ours = NoServices::declare(&policy).unwrap();
        let answer = std::process::Command::new(&policy).status().unwrap();
        assert_eq!(answer.code(), Some(101), "what packages understand as forbidden");
        drop(NoServices::declare(&policy).unwrap());
        assert!(policy.exists());
        drop(ours);
        assert!(!policy.exists());
    }

    #[test]
    fn a_package_that_was_removed_is_not_installed() {
        let known = "installed gcc\nconfig-files zookeeper\ninstalled libvirt-dev:amd64\n";
        assert!(is_installed(known, "gcc"));
        assert!(is_installed(known, "libvirt-dev"));
        assert!(!is_installed(known, "zookeeper"));
        assert!(!is_installed(known, "libvirt"));
    }
}
