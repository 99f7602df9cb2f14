//! `lab up --light`: from a machine with packages to a cluster that runs a VM.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::super::cli::Verb;
use super::super::host::Host;
use super::super::layout::Lab;
use super::super::template::fill;
use super::super::up::Up;
use super::super::{client, cluster, each};
use super::place::Ports;
use super::{account, guest, place, process, service};
use crate::deb::{self, Build};
use crate::run::{self, Run};
use crate::workspace::Workspace;
use crate::{apt, say};

/// Debian packages of what runs beside our programs.
const TO_RUN: &[&str] = &[
    "binutils",
    "default-jre-headless",
    "libvirt-clients",
    "libvirt-daemon",
    "libvirt-daemon-driver-qemu",
    "libzookeeper-java",
    "qemu-system-x86",
];

/// Debian packages that our programs are built with.
const TO_BUILD: &[&str] = &["gcc", "libvirt-dev", "pkg-config"];

const PROGRAMS: [&str; 3] = ["pvcnoded", "pvcapid", "pvc"];

const LEFT_OUT: &str = "\
The light lab runs PVC's daemons as plain processes of this machine. It leaves out:
  networks            no bridges, no floating addresses: the API has a fixed one, on loopback
  fencing             there are no hosts to cut the power of; dead nodes stay undeclared
  packages, systemd   the programs are run as they were built, and the API beside the nodes";

const HOW_TO_GO_ON: &str = "\
The light lab is up. Try:
  cargo xtask {{lab}} pvc -- vm log tick1            the VM's console
  cargo xtask {{lab}} pvc -- vm migrate --wait tick1
  cargo xtask {{lab}} guest tick mine >mine.xml      another VM's definition
  cargo xtask {{lab}} status                         the processes and their logs
  cargo xtask {{lab}} down                           leave nothing behind
What you have killed starts again by another `cargo xtask lab up --light`.";

/// Brings the light lab up, or what is missing of it.
///
/// # Errors
/// When something is not installed, or a step fails; `lab up --light` again goes on from there.
pub(crate) fn run(lab: &Lab, up: &Up) -> Result<()> {
    ensure!(up.packages.is_none() && !up.bare, "--packages and --bare are for hosts");
    apt::ensure(TO_RUN)?;
    let built = built(up)?;
    say::note(LEFT_OUT);
    let (nodes, ports) = ground(lab, up, &built)?;
    let start = |service| start(lab, &service);
    say::step("start ZooKeeper", || {
        start(service::zookeeper(lab))?;
        told(lab, "zookeeper", service::await_zookeeper(ports))
    })?;
    say::step("start a libvirt for every node", || {
        each::host(&nodes, |node| {
            start(service::libvirt(lab, node))?;
            told(lab, &format!("{node}-libvirtd"), service::await_libvirt(lab, node))
        })
    })?;
    say::step("initialise the cluster", || initialise(lab))?;
    say::step("start the daemons and make the nodes ready", || {
        start(service::api_daemon(lab))?;
        each::host(&nodes, |node| start(service::node_daemon(lab, node)))?;
        cluster::make_ready(lab, &nodes)
    })?;
    say::step("define and start a VM", || cluster::first_vm(lab))?;
    cluster::show(lab)?;
    // Beside hosts that are up, the light lab is not the one that is meant unless one says so.
    let is_second = super::meant(false, &Verb::Status { json: false })?.is_none();
    let verb = if is_second { "lab --light" } else { "lab" };
    say::note(&fill(HOW_TO_GO_ON, &[("lab", verb)]));
    Ok(())
}

/// The directory with our programs, built unless somebody has done so.
fn built(up: &Up) -> Result<PathBuf> {
    if let Some(dir) = &up.programs {
        return Ok(dir.clone());
    }
    apt::ensure(TO_BUILD)?;
    say::step("build the release binaries", || deb::build(Build::Release))?;
    Ok(Workspace::ours()?.target_directory.join("release"))
}

/// What the services stand on: programs, files, guests, the client's connection.
fn ground(lab: &Lab, up: &Up, built: &Path) -> Result<(Vec<Host>, Ports)> {
    if lab.is_up() {
        let running = lab.hosts()?.len();
        ensure!(
            running == usize::from(up.hosts),
            "the lab is up with {running} nodes; `cargo xtask lab down` comes before another number"
        );
    } else {
        // `lab down` removes what is called as the lab's parts are, whosever it is.
        let dir = lab.dir();
        ensure!(
            fs::read_dir(dir)?.next().is_none(),
            "{} is neither a light lab nor empty",
            dir.display()
        );
    }
    fs::create_dir_all(lab.run()).context("cannot make the lab's directories")?;
    lab.record_count(up.hosts)?;
    for dir in [lab.logs(), lab.dir().join("bin")] {
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    }
    for name in PROGRAMS {
        install(&built.join(name), &place::program(lab, name))?;
    }
    let (nodes, ports) = (lab.hosts()?, place::ports(lab)?);
    service::configure(lab, &nodes, ports)?;
    client::connect(lab, Ipv4Addr::LOCALHOST, ports.api)?;
    guest::make(lab)?;
    Ok((nodes, ports))
}

/// Copies a program of ours, unless the copy is the same.
fn install(from: &Path, to: &Path) -> Result<()> {
    let built = fs::metadata(from)
        .with_context(|| format!("there is no {}: a release build makes it", from.display()))?;
    let same = |copy: fs::Metadata| {
        copy.len() == built.len()
            && copy.modified().is_ok_and(|at| built.modified().is_ok_and(|then| then == at))
    };
    if fs::metadata(to).is_ok_and(same) {
        return Ok(());
    }
    // Renamed into place: the old copy may be running.
    let fresh = to.with_extension("new");
    fs::copy(from, &fresh)?;
    fs::File::open(&fresh)?.set_modified(built.modified()?)?;
    fs::rename(&fresh, to).with_context(|| format!("cannot install {}", to.display()))
}

/// Makes an empty cluster in ZooKeeper, once.
fn initialise(lab: &Lab) -> Result<()> {
    let done = lab.run().join("initialised");
    if done.exists() {
        return Ok(());
    }
    let api = service::api_daemon(lab);
    let mut command = Command::new(place::program(lab, "pvcapid"));
    command.arg("--initialize").envs(api.env.iter().map(|(key, value)| (key, value)));
    account::take_on(&mut command)?;
    Run::of(command).limit(Duration::from_secs(60)).done()?;
    fs::write(done, "").context("cannot record that there is a cluster")
}

fn start(lab: &Lab, service: &process::Service) -> Result<()> {
    process::ensure(lab, service).with_context(|| format!("cannot start {}", service.name))
}

/// Adds the end of a service's log to why it does not serve.
fn told(lab: &Lab, service: &str, outcome: Result<()>) -> Result<()> {
    outcome.with_context(|| {
        let log = lab.logs().join(service);
        format!("the end of {}:\n{}\n", log.display(), run::tail(&log, 12))
    })
}
