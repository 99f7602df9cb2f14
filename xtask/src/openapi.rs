//! `cargo xtask openapi`: the committed description of the API, from the daemon that serves it.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::run::Run;
use crate::say;
use crate::workspace::{BUILD_LIMIT, Workspace, cargo, root};

/// Where the description is committed.
const DOCUMENT: &str = "schema/openapi/pvc-v1.json";

/// Rewrites the committed description, or only compares it.
///
/// # Errors
/// When the daemon does not build, or `check` finds a difference.
pub(crate) fn run(check: bool) -> Result<()> {
    let current = dump()?;
    let path = root().join(DOCUMENT);
    if check {
        let committed = fs::read_to_string(&path).unwrap_or_default();
        ensure!(
            committed == current,
            "{DOCUMENT} is not what pvcapid serves; run `cargo xtask openapi` and review the change"
        );
        say::note("openapi: the committed description is current");
        return Ok(());
    }
    fs::create_dir_all(path.parent().expect("the document lies in a directory"))?;
    fs::write(&path, current).with_context(|| format!("cannot write {}", path.display()))?;
    say::note(&format!("wrote {DOCUMENT}"));
    Ok(())
}

fn dump() -> Result<String> {
    let mut build = cargo("build");
    // Of the whole workspace, or the daemon's dependencies were built once more for it alone.
    build.args(["--quiet", "--locked", "--workspace", "--bin", "pvcapid"]);
    Run::of(build).limit(BUILD_LIMIT).into_file(say::terminal()?).done()?;
    let daemon = Workspace::ours()?.target_directory.join("debug/pvcapid");
    Run::of(Command::new(daemon)).arg("dump-openapi").done()
}
