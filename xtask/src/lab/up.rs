//! `lab up`: from a bare machine to a cluster that runs a VM.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::host::Host;
use super::layout::Lab;
use super::{bmc, ceph, client, cluster, database, down, each, enter, image, machine, packages};
use super::{power, services, space, switch};
use crate::deb::{self, Build};
use crate::say;

/// What `lab up` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Up {
    /// How many hosts; three of them are coordinators.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub(super) hosts: u8,
    /// Give the hosts a Ceph: a monitor on each coordinator, an OSD on each host, a pool `vms`.
    #[arg(long)]
    pub(super) storage: bool,
    /// Give the coordinators a PostgreSQL under Patroni, with the tables of PowerDNS.
    #[arg(long, conflicts_with = "storage")]
    pub(super) database: bool,
    /// Install the .deb packages in this directory instead of building ours.
    #[arg(long, conflicts_with = "bare")]
    pub(super) packages: Option<PathBuf>,
    /// Install what the tests are built from instead of a release build: sooner there, slower to run.
    #[arg(long, conflicts_with_all = ["bare", "packages"])]
    pub(super) dev: bool,
    /// Stop when the hosts, ZooKeeper and libvirt serve: without PVC.
    #[arg(long)]
    pub(super) bare: bool,
    /// With --light: run the programs in this directory instead of building ours.
    #[arg(long)]
    pub(super) programs: Option<PathBuf>,
}

/// Brings the lab up, or what is missing of it.
///
/// # Errors
/// When the machine does not permit it, or a step fails; `lab up` again goes on from there.
pub(crate) fn run(lab: &Lab, up: &Up) -> Result<()> {
    ensure!(up.programs.is_none(), "--programs goes with --light: hosts run packages");
    ensure!(
        !up.storage || up.hosts >= ceph::LEAST,
        "--storage needs {} hosts: that many copies are kept of everything",
        ceph::LEAST
    );
    machine::check()?;
    machine::install_tools()?;
    let debs = match (up.bare, &up.packages) {
        (true, _) => Vec::new(),
        (false, Some(dir)) => packages::in_directory(dir)?,
        (false, None) if up.dev => deb::packages(Build::Tests)?,
        (false, None) => deb::packages(Build::Release)?,
    };
    ground(lab, up, &debs)?;
    let hosts = lab.hosts()?;
    hosts_on(lab, &hosts)?;
    if up.storage {
        say::step("start Ceph", || ceph::start(lab, &hosts))?;
    }
    if up.database {
        say::step("start PostgreSQL", || database::start(lab, &hosts))?;
    }
    if up.bare {
        say::note("The hosts are up, without PVC. `cargo xtask lab exec hv1 bash` logs in.");
        return Ok(());
    }
    say::step("install our packages on the hosts", || packages::install(lab, &hosts, &debs))?;
    packages::install_client(lab, &debs)?;
    say::step("initialise the cluster", || cluster::initialise(lab, &hosts))?;
    say::step("start the daemons and make the nodes ready", || cluster::start(lab, &hosts))?;
    if up.storage {
        say::step("make the storage known", || ceph::introduce(lab, &hosts))?;
    }
    say::step("define and start a VM", || cluster::first_vm(lab))?;
    cluster::show(lab)?;
    say::note(HOW_TO_GO_ON);
    Ok(())
}

const HOW_TO_GO_ON: &str = "\
The lab is up. Try:
  cargo xtask lab pvc -- vm log tick1            the VM's console
  cargo xtask lab pvc -- vm migrate --wait tick1
  cargo xtask lab guest tick mine >mine.xml      another VM's definition
  cargo xtask lab exec hv1 bash                  log in to a host
  cargo xtask lab power hv1 cut                  and see what the others do
  cargo xtask lab down                           leave nothing behind";

/// What the hosts stand on: namespaces, image, switch, BMCs.
fn ground(lab: &Lab, up: &Up, debs: &[PathBuf]) -> Result<()> {
    if lab.is_up() {
        let running = lab.hosts()?.len();
        ensure!(
            running == usize::from(up.hosts),
            "the lab is up with {running} hosts; `cargo xtask lab down` comes before another number"
        );
        ensure!(
            lab.has_storage() == up.storage,
            "the lab is up {} storage; `cargo xtask lab down` comes before the other",
            if lab.has_storage() { "with" } else { "without" }
        );
        ensure!(
            lab.has_database() == up.database,
            "the lab is up {} a database; `cargo xtask lab down` comes before the other",
            if lab.has_database() { "with" } else { "without" }
        );
    } else {
        // What a restart of the machine or an interrupted `lab down` left.
        down::clear(lab)?;
    }
    fs::create_dir_all(lab.logs())?;
    fs::create_dir_all(lab.run())?;
    lab.record_storage(up.storage)?;
    lab.record_database(up.database)?;
    make_shared(lab)?;
    let hosts = Host::first(up.hosts);
    // Before the mount namespace: the first network namespace of a machine makes the directory of
    // their names a mount of its own, and only what was one by then is seen in there.
    switch::make(lab, &hosts)?;
    space::make(lab)?;
    install_program(lab)?;
    let depends = packages::depends(debs)?;
    if !lab.is_up() {
        image::make(lab, &depends)?;
    } else if !up.bare && !image::is_current(lab, &depends)? {
        say::note("The hosts' image is out of date: it is made anew after `cargo xtask lab down`.");
    }
    bmc::start(lab, &hosts)?;
    client::make(lab)?;
    // Last: whatever was interrupted before this is cleared away by the next `up`.
    lab.record_count(up.hosts)
}

/// Makes the directory that all hosts share. Each host's QEMU has a user of its own.
fn make_shared(lab: &Lab) -> Result<()> {
    let shared = lab.shared();
    fs::create_dir_all(&shared)?;
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777))
        .context("cannot open the shared directory to everybody")
}

/// Boots every host that is off, and waits for what runs on them.
fn hosts_on(lab: &Lab, hosts: &[Host]) -> Result<()> {
    say::step("boot the hosts", || {
        each::host(hosts, |host| {
            power::on(lab, host)?;
            enter::booted(lab, host)
        })
    })?;
    say::step("wait for ZooKeeper", || services::await_zookeeper(lab, hosts))?;
    say::step("wait for libvirt", || services::await_libvirt(lab, hosts))
}

/// Copies this program to where the lab's own processes run it from.
fn install_program(lab: &Lab) -> Result<()> {
    let program = lab.program();
    let fresh = program.with_extension("new");
    if let Some(dir) = program.parent() {
        fs::create_dir_all(dir)?;
    }
    let ourselves = env::current_exe().context("cannot find this program")?;
    if ourselves == program {
        return Ok(());
    }
    // Renamed into place: the old copy may be running.
    fs::copy(&ourselves, &fresh)?;
    fs::rename(&fresh, &program).context("cannot install this program in the lab")
}
