//! `cargo xtask lab up --light`: the cluster without hosts, for machines that permit no namespaces
//! and for people who are not root.
//!
//! The same daemons run as plain processes: one real ZooKeeper, the API, and for every node a node
//! daemon with an unprivileged libvirt of its own, whose QEMU emulates. A node has an address on
//! loopback, by which VMs migrate. There is nothing to cut the power of, and no network.

mod account;
mod guest;
mod place;
mod process;
mod service;
mod status;
mod up;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

pub(crate) use place::default_dir;

use super::cli::{Verb, become_it};
use super::layout::Lab;
use super::{client, guest as guests};
use crate::run::Run;
use crate::say;

/// The light lab, if that is what a command is about: it was asked for, or it is the one that is
/// up, or the only one that we could have.
///
/// # Errors
/// When the lab's directory cannot name one.
pub(crate) fn meant(asked: bool, verb: &Verb) -> Result<Option<Lab>> {
    if asked {
        return Lab::light_from_env().map(Some);
    }
    if matches!(verb, Verb::Up(_)) {
        let light = Lab::light_from_env()?;
        ensure!(
            light.dir() != Lab::from_env()?.dir() || !light.is_up(),
            "{} is a light lab's: `cargo xtask lab down --light` comes before another",
            light.dir().display()
        );
        return Ok(None);
    }
    let with_hosts_is_up = Lab::from_env()?.is_up();
    if with_hosts_is_up && account::is_root() {
        return Ok(None);
    }
    let lab = Lab::light_from_env()?;
    let is_only_choice = matches!(verb, Verb::Down(_) | Verb::Status { .. })
        && !with_hosts_is_up
        && !account::is_root();
    Ok((lab.is_up() || is_only_choice).then_some(lab))
}

/// Runs one command on the light lab.
///
/// # Errors
/// With what kept it from being done; always for what takes hosts.
pub(crate) fn run(lab: &Lab, verb: Verb) -> Result<()> {
    match verb {
        Verb::Up(up) => {
            account::open_up();
            let _alone = place::lock(lab)?;
            up::run(lab, &up)
        }
        // Nothing of it is worth keeping: to wipe it is to take it down.
        Verb::Down(_) => say::step("take the lab down", || down(lab)),
        Verb::Status { json } => status::run(lab, json),
        Verb::Pvc { arguments } => {
            lab.hosts()?;
            let mut pvc = client::pvc(lab)?;
            pvc.args(arguments);
            become_it(pvc)
        }
        Verb::Client { command } => {
            lab.hosts()?;
            become_it(client::command(lab, command))
        }
        Verb::Guest { kind, name, uuid } => {
            account::open_up();
            lab.hosts()?;
            let uuid = uuid.map_or_else(guests::new_uuid, Ok)?;
            say::data(guest::definition(lab, kind, &name, &uuid)?.trim_end());
            Ok(())
        }
        Verb::Exec { .. }
        | Verb::Power { .. }
        | Verb::Freeze { .. }
        | Verb::Thaw { .. }
        | Verb::Partition { .. }
        | Verb::Oneway { .. }
        | Verb::Loss { .. }
        | Verb::Heal { .. }
        | Verb::Pause { .. }
        | Verb::Bmc { .. }
        | Verb::Console { .. }
        | Verb::Selftest
        | Verb::Board { .. }
        | Verb::Chassis { .. }
        | Verb::Watchdog { .. }
        | Verb::BmcFront { .. } => bail!(
            "the light lab has no hosts to do this with: its nodes are processes of this machine, \
             see `cargo xtask lab status`; `sudo cargo xtask lab up` makes hosts"
        ),
    }
}

/// Ends all processes as a power cut would, and removes all files.
fn down(lab: &Lab) -> Result<()> {
    if !lab.dir().exists() {
        return Ok(());
    }
    let _alone = place::lock(lab)?;
    process::end_all(lab)?;
    if lab.is_up() {
        Run::new(["rm", "-rf", "--one-file-system"])
            .args(place::parts(lab))
            .limit(Duration::from_secs(60))
            .done()?;
    }
    // Fails where somebody keeps files of their own in it, and shall.
    let _is_empty = std::fs::remove_dir(lab.dir()).is_ok();
    Ok(())
}

/// Where a process of the lab has its files. A node's two daemons share one.
fn home(lab: &Lab, of: &str) -> PathBuf {
    lab.dir().join(of)
}
