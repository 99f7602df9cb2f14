//! PVC itself on the hosts: packages in, cluster made, a first VM started.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::host::{Host, Network};
use super::layout::Lab;
use super::{each, enter, guest, identity, switch};
use crate::run::Run;
use crate::workspace::root;
use crate::{say, wait};

/// Debian packages for a host; the client runs outside.
const PACKAGES: [&str; 3] = ["pvc-daemon-node", "pvc-daemon-api", "pvc-client-cli"];

/// Where a host finds the packages to install.
const INCOMING: &str = "var/cache/pvc-lab";

/// The name of the VM that `lab up` starts.
const FIRST_VM: &str = "tick1";

const EVERY: Duration = Duration::from_millis(500);

/// The dependencies of `debs` that are not in `debs`, as a `Depends:` field has them.
///
/// # Errors
/// When a package cannot be read.
pub(crate) fn depends(debs: &[PathBuf]) -> Result<String> {
    let mut all = Vec::new();
    for deb in debs {
        for field in ["Pre-Depends", "Depends"] {
            let words = Run::new(["dpkg-deb", "--field"]).arg(deb).arg(field).done()?;
            all.extend(words.trim().split(", ").map(str::to_owned));
        }
    }
    all.retain(|word| !word.is_empty() && !word.starts_with("pvc-"));
    all.sort();
    all.dedup();
    Ok(all.join(", "))
}

/// Installs these packages on every host, unless the very same are there.
///
/// Daemons that run keep running the old program until [`start`] starts them again.
///
/// # Errors
/// When a host's apt or systemd refuses.
pub(crate) fn install(lab: &Lab, hosts: &[Host], debs: &[PathBuf]) -> Result<()> {
    let wanted = fingerprint(debs)?;
    each::host(hosts, |host| {
        let installed = installed(lab, host);
        if fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
            return Ok(());
        }
        install_on(lab, host, debs).with_context(|| format!("cannot install PVC on {host}"))?;
        fs::write(installed, &wanted).context("cannot record what is installed")
    })
}

/// Where it is recorded which packages a host's disk holds: it comes and goes with the disk.
fn installed(lab: &Lab, host: Host) -> PathBuf {
    lab.disk(host).join("packages")
}

fn install_on(lab: &Lab, host: Host, debs: &[PathBuf]) -> Result<()> {
    enter::output(lab, host, ["mkdir", "-p", &format!("/{INCOMING}")])?;
    let mut install = vec![
        "env".to_owned(),
        "DEBIAN_FRONTEND=noninteractive".to_owned(),
        "apt-get".to_owned(),
        "install".to_owned(),
        "--yes".to_owned(),
        "--reinstall".to_owned(),
        "--allow-downgrades".to_owned(),
        "--no-install-recommends".to_owned(),
        // The lab has configured the daemons before their packages came.
        "--option=Dpkg::Options::=--force-confold".to_owned(),
    ];
    for deb in debs {
        let name = deb.file_name().context("a package without a name")?;
        let name = format!("/{INCOMING}/{}", name.to_string_lossy());
        copy_in(lab, host, deb, &name)?;
        install.push(name);
    }
    enter::run(lab, host, install)?.limit(Duration::from_secs(300)).done()?;
    Ok(())
}

/// Copies a file of this machine into a host.
///
/// # Errors
/// When either side cannot be opened.
fn copy_in(lab: &Lab, host: Host, from: &Path, to: &str) -> Result<()> {
    let source = fs::File::open(from).with_context(|| format!("cannot read {}", from.display()))?;
    let mut command = enter::command(lab, host, ["dd", "status=none", &format!("of={to}")])?;
    let status = command.stdin(source).status()?;
    ensure!(status.success(), "cannot copy {} into {host}", from.display());
    Ok(())
}

/// Tells one build of the packages from another.
fn fingerprint(debs: &[PathBuf]) -> Result<String> {
    let mut lines = String::new();
    for deb in debs {
        let about = fs::metadata(deb)?;
        let modified = about.modified()?.duration_since(std::time::UNIX_EPOCH)?;
        lines += &format!("{} {} {}\n", deb.display(), about.len(), modified.as_nanos());
    }
    Ok(lines)
}

/// The packages in `dist/`, whoever built them.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn built() -> Result<Vec<PathBuf>> {
    let dist = root().join("dist");
    if !dist.exists() {
        return Ok(Vec::new());
    }
    let mut debs = Vec::new();
    for entry in fs::read_dir(dist)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "deb") {
            debs.push(path);
        }
    }
    debs.sort();
    Ok(debs)
}

/// Whether the packages the hosts need are among `debs`.
pub(crate) fn is_complete(debs: &[PathBuf]) -> bool {
    PACKAGES.iter().all(|package| {
        debs.iter().any(|deb| {
            let name = deb.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&format!("{package}_"))
        })
    })
}

/// Makes an empty cluster in ZooKeeper; harmless when there is one.
///
/// # Errors
/// When the API's program refuses.
pub(crate) fn initialise(lab: &Lab, hosts: &[Host]) -> Result<()> {
    let first = hosts.first().context("a lab without hosts")?;
    enter::run(lab, *first, ["pvcapid", "--initialize"])?
        .limit(Duration::from_secs(60))
        .done()
        .map(drop)
}

/// Starts the daemons and waits until the API answers on the floating address with every node
/// running; then makes the nodes ready.
///
/// # Errors
/// When a unit does not start, or the cluster does not come together within 2 min.
pub(crate) fn start(lab: &Lab, hosts: &[Host]) -> Result<()> {
    each::host(hosts, |host| start_on(lab, host))?;
    let limit = Duration::from_secs(120);
    wait::until("the API on the floating address", limit, EVERY, || {
        client(lab, ["node", "list", "--format", "json"]).map(Some)
    })?;
    for host in hosts {
        let what = format!("{host} to become ready");
        wait::until(&what, limit, EVERY, || {
            client(lab, ["node", "ready", &host.to_string()]).map(Some)
        })?;
    }
    Ok(())
}

fn start_on(lab: &Lab, host: Host) -> Result<()> {
    let (installed, started) = (installed(lab, host), lab.disk(host).join("started"));
    let wanted = fs::read_to_string(installed)?;
    // A daemon that was started from these very packages is left alone.
    let verb = if fs::read_to_string(&started).is_ok_and(|there| there == wanted) {
        "start"
    } else {
        "restart"
    };
    for words in [["enable", "pvcnoded.service"], [verb, "pvcnoded.service"]] {
        enter::run(lab, host, ["systemctl"].into_iter().chain(words))?
            .limit(Duration::from_secs(60))
            .done()?;
    }
    fs::write(started, wanted).context("cannot record what was started")
}

/// Defines and starts the first VM, unless it is there.
///
/// # Errors
/// When the client is refused.
pub(crate) fn first_vm(lab: &Lab) -> Result<()> {
    if client(lab, ["vm", "info", FIRST_VM]).is_ok() {
        return Ok(());
    }
    let definition = lab.client().join(format!("{FIRST_VM}.xml"));
    client(lab, ["vm", "define", &definition.display().to_string()])?;
    client(lab, ["vm", "start", FIRST_VM]).map(drop)
}

/// Writes what the client needs: its connection to the cluster's floating address, and ready-made
/// VM definitions.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn make_client(lab: &Lab) -> Result<()> {
    let dir = lab.client();
    fs::create_dir_all(&dir)?;
    let connection = json!({
        "description": "The lab",
        "host": Network::Upstream.floating().to_string(),
        "port": identity::API_PORT,
        "scheme": "http",
        "api_key": identity::TOKEN,
    });
    let store = json!({ "lab": connection });
    fs::write(dir.join("pvc.json"), format!("{store:#}\n"))?;
    for kind in guest::Kind::ALL {
        let name = format!("{}1", kind.name());
        let file = dir.join(format!("{name}.xml"));
        if !file.exists() {
            fs::write(file, guest::domain_xml(kind, &name, &guest::new_uuid()?))?;
        }
    }
    Ok(())
}

/// A command that runs the client where the cluster's upstream network is, connected to it.
pub(crate) fn client_command<S: AsRef<std::ffi::OsStr>>(
    lab: &Lab,
    words: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new("nsenter");
    command
        .arg(switch::client_entry(lab))
        .arg("--")
        .arg(client_program())
        .args(words)
        .env("PVC_CLIENT_DIR", lab.client())
        .env("PVC_CONNECTION", "lab");
    command
}

/// The client, where cargo's release build leaves it.
fn client_program() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR");
    target.map_or_else(|| root().join("target"), PathBuf::from).join("release/pvc")
}

fn client<'a>(lab: &Lab, words: impl IntoIterator<Item = &'a str>) -> Result<String> {
    Run::of(client_command(lab, ["--quiet", "--unsafe"]))
        .args(words)
        .limit(Duration::from_secs(20))
        .done()
}

/// Shows the cluster to whoever has just started it.
///
/// # Errors
/// When the client is refused.
pub(crate) fn show(lab: &Lab) -> Result<()> {
    for words in [["cluster", "status"], ["vm", "list"]] {
        say::data(client(lab, words)?.trim_end());
        say::data("");
    }
    Ok(())
}
