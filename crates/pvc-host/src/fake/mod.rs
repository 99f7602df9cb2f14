//! A machine in memory.
//!
//! Honest where it matters: what does not exist cannot be changed, what is repeated is harmless,
//! a device belongs to one bridge at most, and a default route needs a network to its router.
//! Clones are the same machine.

mod firewall;
mod frr;
mod links;
mod net;
mod power;
mod sriov;
mod watchdog;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pvc_common::observed::{SriovTable, VfSetting};

pub use firewall::FakeFirewall;
pub use net::{FakeNet, FakeWire, NetPath};
pub use watchdog::{FakeWatchdog, FakeWatchdogDevice};

use crate::{
    Announcement, Announcer, LinkStep, LinkTable, Sysctl, SysctlError, UnitError, UnitState, Units,
};

/// A machine in memory.
#[derive(Clone, Debug, Default)]
pub struct FakeHost(Arc<Mutex<Machine>>);

#[derive(Debug, Default)]
struct Machine {
    table: LinkTable,
    units: BTreeMap<String, UnitState>,
    broken_units: BTreeSet<String>,
    lingering_units: BTreeSet<String>,
    reloaded_units: Vec<String>,
    settings: BTreeMap<String, String>,
    missing_settings: BTreeSet<String>,
    announced: Vec<Announcement>,
    missing_kinds: BTreeSet<&'static str>,
    steps: Vec<LinkStep>,
    frr: Option<frr::Daemon>,
    cut: bool,
    refuses_to_cut: bool,
    sriov: SriovTable,
    refused_settings: BTreeSet<VfSetting>,
    changes: u64,
}

impl FakeHost {
    /// A machine without devices or units, that takes every kernel setting.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Installs a unit, which is not running.
    pub fn install_unit(&self, unit: &str) {
        self.machine().units.insert(unit.to_owned(), UnitState::Inactive);
    }

    /// The units that run, in order.
    #[must_use]
    pub fn running_units(&self) -> Vec<String> {
        let machine = self.machine();
        let active = machine.units.iter().filter(|(_, state)| **state == UnitState::Active);
        active.map(|(unit, _)| unit.clone()).collect()
    }

    /// Has a unit end by itself, as a program does that fails.
    pub fn fail_unit(&self, unit: &str) {
        self.machine().units.insert(unit.to_owned(), UnitState::Failed);
    }

    /// Has a unit end by itself, as a program does that systemd starts again and again.
    pub fn crash_unit(&self, unit: &str) {
        self.machine().units.insert(unit.to_owned(), UnitState::Restarting);
    }

    /// Installs a unit that fails whenever it is started.
    pub fn install_broken_unit(&self, unit: &str) {
        self.install_unit(unit);
        self.machine().broken_units.insert(unit.to_owned());
    }

    /// Has a unit take longer to stop than anybody waits.
    pub fn hold_up_unit(&self, unit: &str) {
        self.machine().lingering_units.insert(unit.to_owned());
    }

    /// Has a unit that was long about to stop be stopped.
    pub fn let_unit_stop(&self, unit: &str) {
        let mut machine = self.machine();
        machine.lingering_units.remove(unit);
        machine.units.insert(unit.to_owned(), UnitState::Inactive);
    }

    /// The units that were reloaded, in order.
    #[must_use]
    pub fn reloaded_units(&self) -> Vec<String> {
        self.machine().reloaded_units.clone()
    }

    /// Mends a unit that failed whenever it was started.
    pub fn mend_unit(&self, unit: &str) {
        self.machine().broken_units.remove(unit);
    }

    /// Takes a setting away from the kernel.
    pub fn lack_setting(&self, key: &str) {
        self.machine().missing_settings.insert(key.to_owned());
    }

    /// The value of a kernel setting, if it was ever set.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<String> {
        self.machine().settings.get(key).cloned()
    }

    /// What was announced to the neighbours, in order.
    #[must_use]
    pub fn announced(&self) -> Vec<Announcement> {
        self.machine().announced.clone()
    }

    /// How often something was really changed: repeating what is so already does not count.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.machine().changes
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        // Every change is complete before the guard goes, so a panic elsewhere harms nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sysctl for FakeHost {
    async fn set(&self, key: &str, value: &str) -> Result<(), SysctlError> {
        let mut machine = self.machine();
        if machine.missing_settings.contains(key) {
            let (key, value) = (key.to_owned(), value.to_owned());
            return Err(SysctlError { key, value, source: io::ErrorKind::NotFound.into() });
        }
        let before = machine.settings.insert(key.to_owned(), value.to_owned());
        machine.changes += u64::from(before.as_deref() != Some(value));
        Ok(())
    }
}

impl Units for FakeHost {
    async fn state(&self, unit: &str) -> Result<UnitState, UnitError> {
        Ok(self.machine().state(unit))
    }

    async fn start(&self, unit: &str) -> Result<(), UnitError> {
        let mut machine = self.machine();
        let broken = machine.broken_units.contains(unit);
        let known = machine.state(unit);
        if known == UnitState::Absent {
            return Err(UnitError::Absent { unit: unit.to_owned() });
        }
        let state = machine.units.entry(unit.to_owned()).or_insert(known);
        let wanted = if broken { UnitState::Failed } else { UnitState::Active };
        let changed = *state != wanted;
        *state = wanted;
        machine.changes += u64::from(changed);
        if broken {
            return Err(failed("start", unit));
        }
        Ok(())
    }

    async fn stop(&self, unit: &str) -> Result<(), UnitError> {
        self.stop_all(&[unit.to_owned()]).await
    }

    async fn states(&self, units: &[String]) -> Result<Vec<UnitState>, UnitError> {
        let machine = self.machine();
        Ok(units.iter().map(|unit| machine.state(unit)).collect())
    }

    async fn start_all(&self, units: &[String]) -> Result<(), UnitError> {
        let mut outcome = Ok(());
        for unit in units {
            outcome = self.start(unit).await.and(outcome);
        }
        outcome
    }

    async fn reload_all(&self, units: &[String]) -> Result<(), UnitError> {
        let mut outcome = Ok(());
        for unit in units {
            let mut machine = self.machine();
            if machine.state(unit) == UnitState::Active {
                machine.reloaded_units.push(unit.clone());
            } else {
                outcome = Err(failed("reload", unit));
            }
        }
        outcome
    }

    async fn stop_all(&self, units: &[String]) -> Result<(), UnitError> {
        // All at once, as systemd does.
        let mut stopping = false;
        for unit in units {
            stopping |= self.machine().stop(unit);
        }
        if stopping {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

fn failed(verb: &'static str, unit: &str) -> UnitError {
    let source = pvc_command::CommandError::Failed {
        program: "systemctl".to_owned(),
        code: Some(1),
        stdout: String::new(),
        stderr: format!("Job for {unit} failed."),
    };
    UnitError::Failed { verb, unit: unit.to_owned(), source }
}

impl Machine {
    /// Has a unit stop; whether it is still at it.
    fn stop(&mut self, unit: &str) -> bool {
        let lingers = self.lingering_units.contains(unit);
        let running = self.units.get_mut(unit).filter(|state| **state != UnitState::Inactive);
        let Some(state) = running else { return false };
        self.changes += u64::from(*state != UnitState::Stopping);
        *state = if lingers { UnitState::Stopping } else { UnitState::Inactive };
        lingers
    }

    /// An instance of a template that was installed is there, though nobody started it yet.
    fn state(&self, unit: &str) -> UnitState {
        let template = unit.split_once('@').map(|(name, _)| format!("{name}@.service"));
        let instance = template.and_then(|template| self.units.get(&template)).copied();
        self.units.get(unit).copied().or(instance).unwrap_or(UnitState::Absent)
    }
}

impl Announcer for FakeHost {
    async fn announce(&self, announcement: &Announcement) -> Result<(), io::Error> {
        let mut machine = self.machine();
        if !machine.table.links.get(&announcement.device).is_some_and(|link| link.up) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        machine.announced.push(announcement.clone());
        Ok(())
    }
}
