//! Control groups: what belongs to a host dies, freezes and is counted together.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::host::Host;
use super::layout::Lab;
use crate::wait;

const TICK: Duration = Duration::from_millis(10);

/// A control group of the lab, in the unified hierarchy.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    path: PathBuf,
    /// The same group in the old `name=systemd` hierarchy, where the machine has one.
    legacy: Option<PathBuf>,
}

/// Where the unified hierarchy is: machines that also have the old one keep it apart.
pub(crate) fn unified() -> &'static Path {
    let beside_the_old = Path::new("/sys/fs/cgroup/unified");
    if beside_the_old.join("cgroup.procs").exists() {
        beside_the_old
    } else {
        Path::new("/sys/fs/cgroup")
    }
}

impl Group {
    fn named(relative: &Path) -> Self {
        let legacy = Path::new("/sys/fs/cgroup/systemd");
        Self {
            path: unified().join(relative),
            legacy: legacy.join("cgroup.procs").exists().then(|| legacy.join(relative)),
        }
    }

    /// Everything of the lab.
    pub(crate) fn of_lab(lab: &Lab) -> Self {
        Self::named(Path::new(lab.name()))
    }

    /// The machinery around the hosts: `boards`, `bmc`.
    pub(crate) fn of_machinery(lab: &Lab, part: &str) -> Self {
        Self::named(&Path::new(lab.name()).join(part))
    }

    /// All that runs in a host.
    pub(crate) fn of_host(lab: &Lab, host: Host) -> Self {
        Self::named(&Path::new(lab.name()).join(host.to_string()))
    }

    /// The group inside a host for commands run from outside.
    pub(crate) fn of_visitors(lab: &Lab, host: Host) -> Self {
        Self { path: Self::of_host(lab, host).path.join("payload/lab-exec"), legacy: None }
    }

    /// Makes the group unless it is there.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn make(&self) -> Result<()> {
        for path in std::iter::once(&self.path).chain(&self.legacy) {
            fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
        }
        Ok(())
    }

    /// Removes the group, which was killed, and those below it.
    ///
    /// # Errors
    /// When a process stays in one for 5 s: the kernel takes a moment to bury the dead.
    pub(crate) fn remove(&self) -> Result<()> {
        for path in std::iter::once(&self.path).chain(&self.legacy) {
            let what = format!("the removal of {}", path.display());
            wait::until(&what, Duration::from_secs(5), TICK, || {
                // A command that was about to enter came after the end of all others.
                if self.is_populated() {
                    self.write("cgroup.kill", "1")?;
                }
                Ok(Some(remove_tree(path)?))
            })?;
        }
        Ok(())
    }

    /// A command that enters this group before it becomes `argv`.
    ///
    /// By way of a shell: a process has to move itself before it becomes another program, which
    /// the standard library only offers as unsafe code.
    pub(crate) fn command(&self) -> Command {
        const ENTER: &str = r#"until [ "$1" = -- ]; do
            echo 0 >"$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@""#;
        let mut command = Command::new("sh");
        command.args(["-c", ENTER, "sh"]).arg(&self.path);
        command.args(&self.legacy).arg("--");
        command
    }

    /// Whether any process lives in it.
    pub(crate) fn is_populated(&self) -> bool {
        self.event("populated 1")
    }

    /// Whether everything in it stands still.
    pub(crate) fn is_frozen(&self) -> bool {
        self.event("frozen 1")
    }

    fn event(&self, wanted: &str) -> bool {
        fs::read_to_string(self.path.join("cgroup.events"))
            .is_ok_and(|events| events.lines().any(|event| event == wanted))
    }

    /// Stops everything in it where it stands, and waits until it does.
    ///
    /// # Errors
    /// When it does not within 5 s.
    pub(crate) fn freeze(&self) -> Result<()> {
        self.write("cgroup.freeze", "1")?;
        wait::until("the freeze", Duration::from_secs(5), TICK, || {
            Ok(self.is_frozen().then_some(()))
        })
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn thaw(&self) -> Result<()> {
        self.write("cgroup.freeze", "0")
    }

    /// Kills all in it at once and waits until nothing is left.
    ///
    /// # Errors
    /// When something survives for 10 s.
    pub(crate) fn kill(&self) -> Result<()> {
        if !self.path.exists() {
            return Ok(());
        }
        let what = format!("the end of {}", self.path.display());
        wait::until(&what, Duration::from_secs(10), TICK, || {
            // Again each time: a command that was entering the host meanwhile came too late for
            // the last one, and would stand still in there for ever.
            self.write("cgroup.kill", "1")?;
            Ok((!self.is_populated()).then_some(()))
        })
    }

    /// The processes directly in the group `below` this one.
    pub(crate) fn processes(&self, below: &str) -> Vec<u32> {
        fs::read_to_string(self.path.join(below).join("cgroup.procs"))
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.parse().ok())
            .collect()
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.path.join(file);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Removes a group, its children first; nothing there is a success.
fn remove_tree(path: &Path) -> io::Result<()> {
    let children = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        children => children?,
    };
    for child in children {
        let child = child?;
        if child.file_type()?.is_dir() {
            remove_tree(&child.path())?;
        }
    }
    fs::remove_dir(path)
}
