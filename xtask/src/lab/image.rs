//! The read-only layers below every host's disk, made once and kept.
//!
//! A layer is made again when its recipe differs from the one it was made by.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::layout::Lab;
use super::{ceph, chroot, config, database, guest};
use crate::run::Run;
use crate::say;

/// A layer, from the bottom up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// Debian with the services our packages need to find.
    Base,
    /// Whatever else our packages depend on.
    Depends,
    /// Ceph's daemons, in a lab with storage.
    Storage,
    /// PostgreSQL, Patroni and PowerDNS, in a lab with a database.
    Database,
    /// What the lab configures alike on every host.
    Config,
    /// The guests' disks and kernels.
    Guests,
}

impl Layer {
    const ALL: [Self; 6] =
        [Self::Base, Self::Depends, Self::Storage, Self::Database, Self::Config, Self::Guests];

    /// Those of this lab.
    fn of(lab: &Lab) -> impl DoubleEndedIterator<Item = Self> {
        let (storage, database) = (lab.has_storage(), lab.has_database());
        Self::ALL.into_iter().filter(move |layer| match layer {
            Self::Storage => storage,
            Self::Database => database,
            Self::Base | Self::Depends | Self::Config | Self::Guests => true,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Depends => "depends",
            Self::Storage => "storage",
            Self::Database => "database",
            Self::Config => "config",
            Self::Guests => "guests",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Base => "install Debian for the hosts",
            Self::Depends => "install what our packages depend on",
            Self::Storage => "install Ceph for the hosts",
            Self::Database => "install PostgreSQL and PowerDNS for the hosts",
            Self::Config => "configure what all hosts share",
            Self::Guests => "make the guests",
        }
    }

    /// Everything that, when it changes, makes the layer another one.
    fn recipe(self, depends: &str) -> Result<String> {
        let base = format!("{} {DEBIAN} {SECURITY}\n{PACKAGES}\n", release()?);
        Ok(match self {
            Self::Base => base,
            Self::Depends => base + depends,
            Self::Storage => base + depends + &ceph::recipe(),
            Self::Database => base + depends + &database::recipe(),
            Self::Config => config::recipe(),
            Self::Guests => base + &guest::recipe(),
        })
    }

    fn dir(self, lab: &Lab) -> PathBuf {
        lab.image().join(self.name())
    }

    /// Where the recipe it was made by is kept.
    fn made(self, lab: &Lab) -> PathBuf {
        lab.image().join(format!("{}.made", self.name()))
    }

    fn was_made_by(self, lab: &Lab, recipe: &str) -> bool {
        fs::read_to_string(self.made(lab)).is_ok_and(|by| by == recipe)
    }
}

/// Debian packages of the base: the hypervisor, ZooKeeper, and what tests look with.
const PACKAGES: &str = "\
    systemd systemd-sysv dbus udev libpam-systemd kmod procps psmisc ca-certificates \
    iproute2 iputils-ping arping bridge-utils ethtool tcpdump nftables conntrack dnsmasq frr frr-pythontools ipmitool \
    zookeeper default-jre-headless libvirt-daemon-system libvirt-clients qemu-system-x86 ipxe-qemu \
    less curl jq netcat-openbsd vim-tiny strace openssl";

const DEBIAN: &str = "http://deb.debian.org/debian";
const SECURITY: &str = "http://deb.debian.org/debian-security";

/// All layers, the topmost first.
pub(crate) fn layers(lab: &Lab) -> Vec<PathBuf> {
    Layer::of(lab).rev().map(|layer| layer.dir(lab)).collect()
}

/// Makes what is missing of the image. `depends` are the dependencies of our packages, as
/// `Depends:` fields have them.
///
/// # Errors
/// When Debian's archive cannot be reached or a tool fails.
pub(crate) fn make(lab: &Lab, depends: &str) -> Result<()> {
    fs::create_dir_all(lab.image())?;
    for layer in Layer::of(lab) {
        let recipe = layer.recipe(depends)?;
        if layer.was_made_by(lab, &recipe) {
            continue;
        }
        say::step(layer.title(), || {
            let (dir, made) = (layer.dir(lab), layer.made(lab));
            // One file system: an interrupted attempt may have left something mounted.
            Run::new(["rm", "-rf", "--one-file-system"])
                .args([&made, &dir])
                .limit(Duration::from_secs(120))
                .done()?;
            fs::create_dir_all(&dir)?;
            match layer {
                Layer::Base => make_base(lab, &dir),
                Layer::Depends => make_depends(lab, depends, &dir),
                Layer::Storage => make_storage(lab, &dir),
                Layer::Database => make_database(lab, &dir),
                Layer::Config => config::make(&dir),
                Layer::Guests => make_guests(lab, &dir),
            }?;
            fs::write(&made, recipe).context("cannot record how a layer was made")
        })?;
    }
    Ok(())
}

/// Whether every layer was made as [`make`] would make it now.
///
/// # Errors
/// When this is no Debian machine.
pub(crate) fn is_current(lab: &Lab, depends: &str) -> Result<bool> {
    for layer in Layer::of(lab) {
        if !layer.was_made_by(lab, &layer.recipe(depends)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn make_base(lab: &Lab, dir: &Path) -> Result<()> {
    let release = release()?;
    // In a mount namespace of its own: an interrupted run leaves nothing mounted.
    Run::new(["unshare", "--mount", "mmdebstrap", "--variant=minbase", "--mode=root"])
        .arg(format!("--include={}", PACKAGES.replace(' ', ",")))
        .arg(&release)
        .arg(dir)
        .arg(format!("deb {DEBIAN} {release} main"))
        .arg(format!("deb {DEBIAN} {release}-updates main"))
        .arg(format!("deb {SECURITY} {release}-security main"))
        .limit(Duration::from_secs(1800))
        .log(lab.logs().join("base.log"))
        .done()?;
    // Each host brings its own.
    for file in ["etc/hostname", "etc/resolv.conf", "etc/machine-id"] {
        let file = dir.join(file);
        if file.exists() {
            fs::remove_file(&file)?;
        }
    }
    Ok(())
}

fn make_depends(lab: &Lab, depends: &str, dir: &Path) -> Result<()> {
    if depends.is_empty() {
        return Ok(());
    }
    let root = chroot::Chroot::over(lab, &[Layer::Base.dir(lab)], dir)?;
    install(root, &["satisfy", "--yes", "--no-install-recommends", depends])
}

fn make_storage(lab: &Lab, dir: &Path) -> Result<()> {
    let below = [Layer::Depends.dir(lab), Layer::Base.dir(lab)];
    let root = chroot::Chroot::over(lab, &below, dir)?;
    let words = ["install", "--yes", "--no-install-recommends"];
    install(root, &[&words[..], &ceph::PACKAGES].concat())?;
    ceph::make_layer(dir)
}

/// Beside the storage's layer, not above it: a lab has one of them.
fn make_database(lab: &Lab, dir: &Path) -> Result<()> {
    database::prepare_layer(dir)?;
    let below = [Layer::Depends.dir(lab), Layer::Base.dir(lab)];
    let root = chroot::Chroot::over(lab, &below, dir)?;
    let words = ["install", "--yes", "--no-install-recommends"];
    install(root, &[&words[..], &database::PACKAGES].concat())
}

/// Has apt do what `words` say, and leaves nothing but that behind.
fn install(root: chroot::Chroot<'_>, words: &[&str]) -> Result<()> {
    root.apt(["update"])?;
    root.apt(words.iter().copied())?;
    root.apt(["clean"])?;
    root.run(["rm", "-rf", "/var/lib/apt/lists"])?;
    root.close()
}

fn make_guests(lab: &Lab, dir: &Path) -> Result<()> {
    let guests = dir.join("var/lib/pvc-lab/guests");
    fs::create_dir_all(&guests)?;
    guest::make_sectors(&guests)?;

    let scratch = lab.image().join("scratch");
    let root = chroot::Chroot::over(lab, &[Layer::Base.dir(lab)], &scratch)?;
    root.apt(["update"])?;
    let kernel = root.run(["apt-cache", "depends", "--important", "linux-image-cloud-amd64"])?;
    let kernel = kernel
        .lines()
        .find_map(|line| line.trim().strip_prefix("Depends: "))
        .context("linux-image-cloud-amd64 names no kernel")?;
    root.run(["mkdir", "/guest"])?;
    root.run(["sh", "-c", "cd /guest && apt-get download \"$@\"", "sh", kernel, "busybox-static"])?;
    root.run(["sh", "-c", "for deb in /guest/*.deb; do dpkg-deb -x $deb /guest/; done"])?;
    root.close()?;

    guest::make_linux(
        &scratch.join("guest"),
        &guests.join("linux.kernel"),
        &guests.join("linux.initrd"),
    )?;
    for kind in guest::Kind::ALL {
        let name = format!("{}1", kind.name());
        let xml = guest::domain_xml(kind, &name, &guest::new_uuid()?);
        fs::write(guests.join(format!("{name}.xml")), xml)?;
    }
    fs::remove_dir_all(&scratch).context("cannot remove what the guests were made of")
}

/// The Debian release of this machine: packages built here run on that.
fn release() -> Result<String> {
    let about = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    about
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .map(|name| name.trim_matches('"').to_owned())
        .context("/etc/os-release names no release: the lab needs Debian")
}
