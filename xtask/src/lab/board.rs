//! A host's main board: boots it, boots it again when it reboots itself, ends when it powers off.

use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result};

use super::cgroup::Group;
use super::host::Host;
use super::layout::Lab;
use super::{background, disk, power, space, spare, switch, watchdog};

/// How `systemd-nspawn` ends when the host asked for a reboot, by `systemctl` or by reboot(2).
const REBOOT: i32 = 133;

/// The control group of a host's board, which outlives the host's own.
pub(crate) fn group(lab: &Lab, host: Host) -> Group {
    Group::of_machinery(lab, &format!("board-{host}"))
}

/// Starts the board in the background, for this stretch of power.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn start(lab: &Lab, host: Host, stretch: &str) -> Result<()> {
    let group = group(lab, host);
    group.make()?;
    let mut command = group.command();
    command.args(["setsid", "--fork"]).arg(lab.program()).args([
        "lab",
        "_board",
        &host.to_string(),
        stretch,
    ]);
    background::start(lab, command, &format!("{host}.board"))
}

/// The board itself: returns when the host is off.
///
/// # Errors
/// When a boot cannot be prepared or cleaned up after.
pub(crate) fn run(lab: &Lab, host: Host, stretch: &str) -> Result<()> {
    loop {
        let code = boot(lab, host)?;
        if !power::ended(lab, host, stretch, code == Some(REBOOT))? {
            return Ok(());
        }
    }
}

/// Boots the host once and stays for as long as it runs. Returns its exit code.
fn boot(lab: &Lab, host: Host) -> Result<Option<i32>> {
    let console = background::log(lab, &format!("{host}.console"))?;
    let mut command = Group::of_host(lab, host).command();
    command
        .arg("nsenter")
        .arg(space::entry(lab)?)
        .arg(switch::host_entry(lab, host))
        .args(["--", "systemd-nspawn", "--quiet", "--boot"])
        .arg(format!("--directory={}", disk::root(lab, host).display()))
        .arg(format!("--machine={host}"))
        // No systemd outside is asked for anything: there may be none.
        .args(["--register=no", "--keep-unit", "--link-journal=no"])
        .args(["--capability=all", "--console=read-only"])
        .args(["--resolv-conf=off", "--timezone=off"])
        // Only fuse: a /dev/kvm that cannot virtualize costs libvirt minutes of probing.
        .args(fs::exists("/dev/fuse")?.then_some("--bind=/dev/fuse"))
        .arg(format!("--bind={}:/var/lib/pvc-shared", lab.shared().display()))
        .arg(format!("--bind={}:/dev/watchdog", watchdog::file(lab, host).display()))
        .args(spare::binds(lab, host)?)
        .env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1")
        .env("SYSTEMD_NSPAWN_API_VFS_WRITABLE", "network")
        .stdin(Stdio::null())
        .stdout(console.try_clone()?)
        .stderr(console);
    let status = command.status().with_context(|| format!("cannot boot {host}"))?;
    Ok(status.code())
}
