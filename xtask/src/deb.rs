//! `cargo xtask deb`: the release binaries and, from them, the Debian packages in `dist/`; for tests,
//! packages of what the tests are built from.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};

use crate::run::Run;
use crate::workspace::{BUILD_LIMIT, Workspace, cargo, root, without_our_package};
use crate::{apt, say};

/// The cargo packages whose binaries are packaged, and those binaries.
const PROGRAMS: [(&str, &str); 3] =
    [("pvcnoded", "pvcnoded"), ("pvcapid", "pvcapid"), ("pvc-cli", "pvc")];

/// What a Debian machine needs to build the packages, besides cargo.
const NEEDED: [&str; 6] = ["debhelper", "dpkg-dev", "fakeroot", "gcc", "libvirt-dev", "pkg-config"];

/// How the programs in the packages are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// As they are shipped, into `dist/`.
    Release,
    /// As the tests have built them already, with checks of overflows and assertions. A release build
    /// of everything takes longer than all tests of single crates.
    Tests,
}

impl Build {
    /// What cargo is told.
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Release => &["--release"],
            // What the tests of the workspace turn on; with other features, most would be compiled again.
            Self::Tests => &["--features", "pvc-client/fake,pvc-zk/testing"],
        }
    }

    /// Where cargo leaves the programs.
    fn programs(self, target: &Path) -> PathBuf {
        target.join(match self {
            Self::Release => "release",
            Self::Tests => "debug",
        })
    }

    /// Where the packages are made.
    fn stage(self, target: &Path) -> PathBuf {
        target.join(match self {
            Self::Release => "deb",
            Self::Tests => "deb-tests",
        })
    }

    /// Where the packages are left.
    fn dist(self, target: &Path) -> PathBuf {
        match self {
            Self::Release => root().join("dist"),
            Self::Tests => self.stage(target).join("dist"),
        }
    }
}

/// Builds everything that is out of date and returns the packages.
///
/// # Errors
/// When a tool is missing and cannot be installed, or a build fails.
pub(crate) fn packages(of: Build) -> Result<Vec<PathBuf>> {
    apt::ensure(&NEEDED)?;
    let target = Workspace::ours()?.target_directory;
    let _alone = alone(&target)?;
    say::step("build the programs", || build(of))?;
    let dist = of.dist(&target);
    let present = debs(&dist)?;
    if is_current(&present, &inputs(&of.programs(&target))?)? {
        say::note("the packages are up to date");
        return Ok(present);
    }
    say::step("build the Debian packages", || pack(of, &target))?;
    debs(&dist)
}

/// Runs `cargo xtask deb`: the packages' paths are its data.
///
/// # Errors
/// As [`packages`].
pub(crate) fn run() -> Result<()> {
    for package in packages(Build::Release)? {
        say::data(&package.display().to_string());
    }
    Ok(())
}

/// Builds the daemons and the client.
///
/// # Errors
/// When they do not build.
pub(crate) fn build(of: Build) -> Result<()> {
    let mut command = cargo("build");
    command.arg("--locked").args(of.arguments());
    for (package, _) in PROGRAMS {
        command.args(["--package", package]);
    }
    Run::of(command).limit(BUILD_LIMIT).into_file(say::terminal()?).done().map(drop)
}

/// Waits until nobody else builds packages in the same place; released when dropped.
fn alone(target: &Path) -> Result<File> {
    fs::create_dir_all(target)?;
    let lock = File::create(target.join("deb.lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// Runs debhelper in a copy of `debian/`, so that the checkout stays clean.
fn pack(of: Build, target: &Path) -> Result<()> {
    let stage = of.stage(target);
    if stage.exists() {
        fs::remove_dir_all(&stage).with_context(|| format!("cannot empty {}", stage.display()))?;
    }
    let copy = stage.join("pvc");
    fs::create_dir_all(&copy)?;
    Run::new(["cp", "--archive"]).arg(root().join("debian")).arg(&copy).done()?;
    let mut command = std::process::Command::new("dpkg-buildpackage");
    command
        .args(["--build=binary", "--unsigned-changes", "--unsigned-buildinfo"])
        // The toolchain is rustup's, not a package.
        .arg("--no-check-builddeps")
        .current_dir(&copy)
        .env("PVC_PROGRAMS", of.programs(target));
    if of == Build::Tests {
        // They go no further than to the hosts of a lab.
        command.env("DPKG_DEB_COMPRESSOR_TYPE", "none");
    }
    without_our_package(&mut command);
    Run::of(command).limit(BUILD_LIMIT).log(stage.join("build.log")).done()?;
    let built = debs(&stage)?;
    ensure!(!built.is_empty(), "dpkg-buildpackage built no package");
    let dist = of.dist(target);
    fs::create_dir_all(&dist)?;
    for old in debs(&dist)? {
        fs::remove_file(old)?;
    }
    for package in built {
        let name = package.file_name().context("a package without a name")?;
        fs::copy(&package, dist.join(name))?;
    }
    Ok(())
}

/// The packages in `directory`, sorted; none if there is no such directory.
fn debs(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if directory.exists() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "deb") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Everything a package is made from.
fn inputs(programs: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        PROGRAMS.iter().map(|(_, binary)| programs.join(binary)).collect();
    let mut directories = vec![root().join("debian")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            } else {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// Whether every package is newer than every input.
fn is_current(packages: &[PathBuf], inputs: &[PathBuf]) -> Result<bool> {
    let oldest_package = times(packages)?.into_iter().min();
    let newest_input = times(inputs)?.into_iter().max();
    Ok(oldest_package.is_some() && oldest_package > newest_input)
}

fn times(files: &[PathBuf]) -> Result<Vec<SystemTime>> {
    files
        .iter()
        .map(|file| {
            fs::metadata(file)
                .and_then(|metadata| metadata.modified())
                .with_context(|| format!("cannot read {}", file.display()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn file(directory: &Path, name: &str, age_s: u64) -> PathBuf {
        let path = directory.join(name);
        let file = fs::File::create(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age_s)).unwrap();
        path
    }

    #[test]
    fn a_package_older_than_its_binary_is_built_again() {
        let place = tempfile::tempdir().unwrap();
        let binary = file(place.path(), "pvc", 10);
        let old = file(place.path(), "a.deb", 20);
        let new = file(place.path(), "b.deb", 5);
        assert!(!is_current(&[old, new.clone()], std::slice::from_ref(&binary)).unwrap());
        assert!(is_current(&[new], &[binary]).unwrap());
    }

    #[test]
    fn without_packages_there_is_something_to_build() {
        let place = tempfile::tempdir().unwrap();
        let binary = file(place.path(), "pvc", 10);
        assert!(!is_current(&debs(place.path()).unwrap(), &[binary]).unwrap());
    }
}
