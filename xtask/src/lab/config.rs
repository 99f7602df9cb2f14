//! What the lab configures alike on every host: units, their switches, and quiet.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result};

const FILES: &[(&str, &str)] = &[
    (
        "etc/systemd/system/pvc-lab-network.service",
        include_str!("../../lab/image/pvc-lab-network.service"),
    ),
    ("etc/systemd/system/zookeeper.service", include_str!("../../lab/image/zookeeper.service")),
    ("etc/systemd/journald.conf.d/pvc-lab.conf", include_str!("../../lab/image/journald.conf")),
    ("etc/libvirt/libvirtd.conf", include_str!("../../lab/image/libvirtd.conf")),
    ("etc/libvirt/qemu.conf", include_str!("../../lab/image/qemu.conf")),
    ("etc/frr/daemons", include_str!("../../lab/image/frr-daemons")),
];

/// Links below `/etc/systemd/system`, and what they point to: units to start at boot, and units
/// that have no business in a host of the lab.
const LINKS: &[(&str, &str)] = &[
    ("sysinit.target.wants/pvc-lab-network.service", "../pvc-lab-network.service"),
    ("multi-user.target.wants/zookeeper.service", "../zookeeper.service"),
    ("sockets.target.wants/libvirtd-tcp.socket", "/lib/systemd/system/libvirtd-tcp.socket"),
    // With the capabilities a host has, these would mount the machine's own.
    ("sys-kernel-debug.mount", "/dev/null"),
    ("sys-kernel-tracing.mount", "/dev/null"),
    // No hardware, no terminals, no clock of its own.
    ("systemd-udevd.service", "/dev/null"),
    ("console-getty.service", "/dev/null"),
    ("systemd-timesyncd.service", "/dev/null"),
    // Nothing may run behind a test's back.
    ("apt-daily.timer", "/dev/null"),
    ("apt-daily-upgrade.timer", "/dev/null"),
    ("dpkg-db-backup.timer", "/dev/null"),
    ("e2scrub_all.timer", "/dev/null"),
    ("fstrim.timer", "/dev/null"),
    ("logrotate.timer", "/dev/null"),
    // PVC starts its own, and decides itself what a host's shutdown means for its VMs.
    ("dnsmasq.service", "/dev/null"),
    ("libvirt-guests.service", "/dev/null"),
];

/// Everything the layer is made of.
pub(crate) fn recipe() -> String {
    FILES.iter().chain(LINKS).map(|(path, content)| format!("{path}\n{content}\n")).collect()
}

/// Writes the layer.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn make(layer: &Path) -> Result<()> {
    for (path, text) in FILES {
        let path = inside(layer, path)?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    for (name, target) in LINKS {
        let path = inside(layer, &format!("etc/systemd/system/{name}"))?;
        symlink(target, &path).with_context(|| format!("cannot link {}", path.display()))?;
    }
    Ok(())
}

fn inside(layer: &Path, path: &str) -> Result<std::path::PathBuf> {
    let path = layer.join(path);
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    Ok(path)
}
