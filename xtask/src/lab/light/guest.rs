//! The guests of the light lab: `tick` and `writer`, and `linux` once somebody asks for it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::super::client;
use super::super::guest::{self, Kind};
use super::super::layout::Lab;
use super::place;
use crate::run::Run;
use crate::say;

/// Some 30 MiB, from a mirror that may be slow.
const DOWNLOAD: Duration = Duration::from_secs(300);

/// The definition of a VM of this kind for the light lab, whose guest is made if need be.
///
/// # Errors
/// When the guest cannot be made, or needs what a light lab does not have.
pub(crate) fn definition(lab: &Lab, kind: Kind, name: &str, uuid: &str) -> Result<String> {
    match kind {
        Kind::Tick | Kind::Writer => {}
        Kind::Linux => make_linux(lab)?,
        Kind::Store => bail!("`store` needs storage: `cargo xtask lab up --storage`"),
    }
    Ok(adapt(lab, &guest::domain_xml(kind, name, uuid)))
}

/// Makes `tick`, `writer` and the definition of the first VM, unless they are there.
///
/// # Errors
/// When it cannot be assembled or written.
pub(crate) fn make(lab: &Lab) -> Result<()> {
    fs::create_dir_all(place::guests(lab))?;
    let guests = place::guests(lab);
    if !guests.join("writer.img").exists() {
        guest::make_sectors(&guests)?;
    }
    let definition = client::definition(lab, Kind::Tick);
    if !definition.exists() {
        let name = client::first_name(Kind::Tick);
        fs::write(
            definition,
            adapt(lab, &guest::domain_xml(Kind::Tick, &name, &guest::new_uuid()?)),
        )?;
    }
    Ok(())
}

/// Makes `linux` of Debian's kernel and busybox, unless it is there: only downloaded and unpacked,
/// which takes no root.
fn make_linux(lab: &Lab) -> Result<()> {
    let guests = place::guests(lab);
    let (kernel, initrd) = (guests.join("linux.kernel"), guests.join("linux.initrd"));
    if initrd.exists() {
        return Ok(());
    }
    say::step("make the guest linux of Debian's kernel and busybox", || {
        let known = Run::new(["apt-cache", "depends", "--important", "linux-image-cloud-amd64"]);
        let known = known.done()?;
        let newest = known
            .lines()
            .find_map(|line| line.trim().strip_prefix("Depends: "))
            .context("linux-image-cloud-amd64 names no kernel: `sudo apt-get update` may help")?;
        let (scratch, unpacked) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let mut download = Command::new("apt-get");
        download.args(["download", newest, "busybox-static"]).current_dir(scratch.path());
        Run::of(download).limit(DOWNLOAD).done()?;
        for entry in fs::read_dir(scratch.path())? {
            Run::new(["dpkg-deb", "--extract"]).arg(entry?.path()).arg(unpacked.path()).done()?;
        }
        guest::make_linux(unpacked.path(), &kernel, &initrd)
    })
}

/// Puts the lab's directories in the place of a host's.
fn adapt(lab: &Lab, xml: &str) -> String {
    xml.replace("/var/lib/pvc-lab/guests", &place::guests(lab).display().to_string())
        .replace("/var/log/libvirt", &place::console(lab).display().to_string())
        .replace("/var/lib/pvc-shared", &lab.shared().display().to_string())
        // Both sides of a migration write to the same file.
        .replace("append='off'", "append='on'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_names_no_directory_of_a_host() {
        let lab = Lab::light_at("/srv/light".into()).unwrap();
        let xml = adapt(&lab, &guest::domain_xml(Kind::Tick, "t1", "0f3b2a1c"));
        let console = place::console(&lab).join("t1.log");
        assert!(xml.contains(&format!("file='{}' append='on'", console.display())), "{xml}");
        assert!(xml.contains(&place::guests(&lab).join("tick.img").display().to_string()), "{xml}");
        assert!(!xml.contains("/var/log/libvirt"), "{xml}");
    }
}
