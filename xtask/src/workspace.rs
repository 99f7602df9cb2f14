//! This project's workspace as cargo describes it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::run::Run;

/// Long enough for a cold build of everything on a slow machine.
pub(crate) const BUILD_LIMIT: Duration = Duration::from_secs(60 * 60);

/// What `cargo metadata` says, as far as we ask.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    /// Every package of the workspace and, unless left out, those it is built from.
    pub(crate) packages: Vec<Package>,
    /// Where cargo puts what it builds.
    pub(crate) target_directory: PathBuf,
}

/// One package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    /// Its name in `Cargo.toml`.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its licence expression, if it states one.
    pub(crate) license: Option<String>,
    /// What it depends on.
    pub(crate) dependencies: Vec<Dependency>,
    /// What it is built into.
    pub(crate) targets: Vec<Target>,
}

/// One thing a package is built into.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    /// Its name.
    pub(crate) name: String,
    /// What it is: `lib`, `bin`, `test` and so on.
    pub(crate) kind: Vec<String>,
}

/// One line of a package's dependencies.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The package depended on.
    pub(crate) name: String,
    /// `dev`, `build`, or `None` for an ordinary one.
    pub(crate) kind: Option<String>,
    /// The directory of a package of ours.
    pub(crate) path: Option<PathBuf>,
}

impl Workspace {
    /// Our own packages only; quick.
    ///
    /// # Errors
    /// When cargo cannot read the workspace.
    pub(crate) fn ours() -> Result<Self> {
        Self::load(&["--no-deps"])
    }

    /// Our packages and everything they are built from on this platform.
    ///
    /// # Errors
    /// When cargo cannot resolve the workspace.
    pub(crate) fn whole() -> Result<Self> {
        Self::load(&["--filter-platform", "x86_64-unknown-linux-gnu"])
    }

    fn load(options: &[&str]) -> Result<Self> {
        let text = Run::of(cargo("metadata"))
            .args(["--locked", "--format-version", "1"])
            .args(options)
            .limit(Duration::from_secs(300))
            .done()?;
        serde_json::from_str(&text).context("cannot read what cargo metadata says")
    }
}

/// The root of the checkout this program was built from.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace's root")
}

/// A command `cargo VERB`, run in the root of the checkout.
pub(crate) fn cargo(verb: &str) -> Command {
    let mut command = Command::new("cargo");
    command.arg(verb).current_dir(root());
    without_our_package(&mut command);
    command
}

/// Whether cargo has the verb `verb`, which somebody may have installed or not.
///
/// # Errors
/// When there is no cargo.
pub(crate) fn is_cargo_verb(verb: &str) -> Result<bool> {
    let mut command = cargo(verb);
    command.arg("--version");
    Run::of(command).succeeds()
}

/// Hides from `command` the variables that `cargo run` set for us.
///
/// Build scripts look at them, and would compile everything again whenever a person's cargo and
/// one that we started take turns.
pub(crate) fn without_our_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_MANIFEST_") || text.starts_with("CARGO_PKG_") {
            command.env_remove(&name);
        }
    }
}
