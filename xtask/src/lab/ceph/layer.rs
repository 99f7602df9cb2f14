//! The layer of the hosts' image that holds Ceph.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result};

/// Debian packages of the layer: the daemons, what lets QEMU open volumes, and what our daemons use
/// for images and benchmarks.
pub(crate) const PACKAGES: [&str; 7] =
    ["ceph-mon", "ceph-mgr", "ceph-osd", "ceph-common", "fio", "qemu-block-extra", "qemu-utils"];

/// Where the managers find their modules.
const MODULES_DIR: &str = "usr/share/pvc-lab/mgr";

/// What the managers load: with all modules each takes 300 MB instead of 115.
const MODULES: [&str; 8] = [
    "mgr_module.py",
    "mgr_util.py",
    "rbd_support",
    "status",
    "devicehealth",
    "pg_autoscaler",
    "balancer",
    "prometheus",
];

/// Modules whose lack the cluster would take for an error.
const STAND_INS: [&str; 5] = ["crash", "orchestrator", "progress", "telemetry", "volumes"];

const STAND_IN: &str = include_str!("../../../lab/ceph/stand-in.py");

/// Units that have no business in a host of the lab.
const MASKED: [&str; 3] =
    ["ceph-crash.service", "lvm2-monitor.service", "nvmf-autoconnect.service"];

/// Everything that, when it changes, makes the layer another one.
pub(crate) fn recipe() -> String {
    format!("{PACKAGES:?}{MODULES_DIR}{MODULES:?}{STAND_INS:?}{STAND_IN}{MASKED:?}")
}

/// Adds to the packages what the lab needs beside them.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn make(layer: &Path) -> Result<()> {
    let modules = layer.join(MODULES_DIR);
    fs::create_dir_all(&modules)?;
    for name in MODULES {
        symlink(Path::new("/usr/share/ceph/mgr").join(name), modules.join(name))?;
    }
    for name in STAND_INS {
        let module = modules.join(name);
        fs::create_dir(&module)?;
        fs::write(module.join("module.py"), STAND_IN)?;
        fs::write(module.join("__init__.py"), "from .module import Module\n")?;
    }
    let units = layer.join("etc/systemd/system");
    fs::create_dir_all(&units)?;
    for unit in MASKED {
        symlink("/dev/null", units.join(unit)).with_context(|| format!("cannot mask {unit}"))?;
    }
    Ok(())
}
