//! The guests the lab makes for its hosts: small, cheap under emulation, and telling the time.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::ceph;
use super::cpio::Archive;
use super::template::fill;
use crate::run::Run;

const TICK_SOURCE: &str = include_str!("../../lab/guests/tick.S");
const WRITER_SOURCE: &str = include_str!("../../lab/guests/writer.S");
const STORE_SOURCE: &str = include_str!("../../lab/guests/store.S");

/// What completes the three.
const SECTOR_SOURCE: &str = include_str!("../../lab/guests/sector.S");

const LINUX_INIT: &str = include_str!("../../lab/guests/init.sh");
const LINUX_NET: &str = include_str!("../../lab/guests/net.sh");
const LINUX_LEASE: &str = include_str!("../../lab/guests/lease.sh");

/// What `linux` needs of its kernel, in the order it is loaded. Built into some kernels.
const LINUX_MODULES: [&str; 10] = [
    "drivers/acpi/button.ko",
    "drivers/input/evdev.ko",
    "drivers/virtio/virtio_ring.ko",
    "drivers/virtio/virtio.ko",
    "drivers/virtio/virtio_pci_modern_dev.ko",
    "drivers/virtio/virtio_pci_legacy_dev.ko",
    "drivers/virtio/virtio_pci.ko",
    "net/core/failover.ko",
    "drivers/net/net_failover.ko",
    "drivers/net/virtio_net.ko",
];

/// The size of the disk a boot sector boots from: the firmware reads none smaller than a cylinder.
const SECTOR_DISK: u64 = 1024 * 1024;

/// A kind of guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// A boot sector that counts and tells the hardware clock's time, in 16 MiB.
    Tick,
    /// Debian's kernel and a shell that tells its uptime, in 128 MiB.
    Linux,
    /// A boot sector that appends to a record which all hosts share, in 16 MiB.
    Writer,
    /// A boot sector that writes to its volume, and appends to such a record what was acknowledged,
    /// in 16 MiB; for labs with storage.
    Store,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Tick, Self::Linux, Self::Writer, Self::Store];

    /// The name in commands and files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tick => "tick",
            Self::Linux => "linux",
            Self::Writer => "writer",
            Self::Store => "store",
        }
    }
}

/// The definition of a VM of this kind, as `pvc vm define` takes it.
pub(crate) fn domain_xml(kind: Kind, name: &str, uuid: &str) -> String {
    let template = match kind {
        Kind::Tick => include_str!("../../lab/guests/tick.xml"),
        Kind::Linux => include_str!("../../lab/guests/linux.xml"),
        Kind::Writer => include_str!("../../lab/guests/writer.xml"),
        Kind::Store => include_str!("../../lab/guests/store.xml"),
    };
    fill(template, &[("name", name), ("uuid", uuid), ("secret", ceph::SECRET)])
}

/// A UUID nobody has.
///
/// # Errors
/// When the kernel has none to give.
pub(crate) fn new_uuid() -> Result<String> {
    let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid").context("cannot make a UUID")?;
    Ok(uuid.trim().to_owned())
}

/// Everything the guests are made of: a change of it makes them anew.
pub(crate) fn recipe() -> String {
    let definitions = Kind::ALL.map(|kind| domain_xml(kind, "", ""));
    format!(
        "{TICK_SOURCE}{WRITER_SOURCE}{STORE_SOURCE}{SECTOR_SOURCE}{SECTOR_DISK}\
         {LINUX_INIT}{LINUX_NET}{LINUX_LEASE}{LINUX_MODULES:?}{}",
        definitions.concat()
    )
}

/// Assembles `tick`, `writer` and `store` into disk images in the directory `into`.
///
/// # Errors
/// When binutils are missing or a source is wrong.
pub(crate) fn make_sectors(into: &Path) -> Result<()> {
    let sources =
        [(Kind::Tick, TICK_SOURCE), (Kind::Writer, WRITER_SOURCE), (Kind::Store, STORE_SOURCE)];
    for (kind, source) in sources {
        let disk = into.join(kind.name()).with_extension("img");
        assemble(&format!("{source}{SECTOR_SOURCE}"), &disk)
            .with_context(|| format!("cannot assemble `{}`", kind.name()))?;
    }
    Ok(())
}

fn assemble(source: &str, into: &Path) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let object = scratch.path().join("sector.o");
    Run::new(["as", "--32", "-o"]).arg(&object).arg("-").input(source).done()?;
    Run::new(["ld", "-m", "elf_i386", "-Ttext=0x7c00", "--oformat", "binary"])
        .arg("-o")
        .arg(into)
        .arg(&object)
        .done()?;
    let disk = fs::File::options().write(true).open(into)?;
    disk.set_len(SECTOR_DISK)?;
    disk.set_permissions(fs::Permissions::from_mode(0o644))?;
    Ok(())
}

/// Makes `linux` from the unpacked Debian packages of a kernel and of a static busybox.
///
/// # Errors
/// When a package does not hold what it should.
pub(crate) fn make_linux(unpacked: &Path, kernel: &Path, initrd: &Path) -> Result<()> {
    let image = find(&unpacked.join("boot"), "vmlinuz-")?;
    fs::copy(&image, kernel)?;
    let busybox = fs::read(unpacked.join("bin/busybox"))
        .or_else(|_| fs::read(unpacked.join("usr/bin/busybox")))
        .context("the busybox package holds no busybox")?;

    let mut archive = Archive::default();
    for dir in ["bin", "dev", "etc", "proc", "sys", "modules"] {
        archive.dir(dir);
    }
    archive.file("bin/busybox", 0o755, &busybox);
    archive.file("init", 0o755, LINUX_INIT.as_bytes());
    archive.file("net.sh", 0o755, LINUX_NET.as_bytes());
    archive.file("lease.sh", 0o755, LINUX_LEASE.as_bytes());
    let modules = find(&unpacked.join("lib/modules"), "")?.join("kernel");
    for (number, module) in LINUX_MODULES.iter().enumerate() {
        if let Ok(bytes) = fs::read(modules.join(module)) {
            let name = module.replace('/', "-");
            archive.file(&format!("modules/{number:02}-{name}"), 0o644, &bytes);
        }
    }
    fs::write(initrd, archive.finish())?;
    Ok(())
}

/// The one entry of `dir` whose name begins so.
fn find(dir: &Path, prefix: &str) -> Result<std::path::PathBuf> {
    fs::read_dir(dir)
        .with_context(|| format!("cannot read {}", dir.display()))?
        .filter_map(Result::ok)
        .find(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path())
        .with_context(|| format!("{} holds no {prefix}*", dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_carries_the_name_wherever_libvirt_wants_it() {
        for kind in Kind::ALL {
            let xml = domain_xml(kind, "t1", "0f3b2a1c-0000-4000-8000-000000000001");
            assert!(xml.contains("<name>t1</name>"), "{xml}");
            assert!(xml.contains("'/var/log/libvirt/t1.log'"), "{xml}");
            assert!(!xml.contains("{{"), "{xml}");
        }
    }
}
