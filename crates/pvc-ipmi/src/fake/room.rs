//! The room's machines, and setting them up.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use pvc_common::secret::Secret;

use super::power::FakePower;
use crate::bmc::Bmc;

/// What a BMC is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// It does what it is told, and tells what is.
    #[default]
    Well,
    /// It has no power or no network: nothing ever comes back.
    Dead,
    /// It acknowledges everything, does nothing, and says the power is as it was commanded last.
    Lying,
    /// It acknowledges everything and does nothing, but tells what is.
    Disobedient,
    /// It lets nobody in.
    Denying,
    /// It has no session free.
    Busy,
    /// Nothing listens at its address.
    Closed,
}

/// A command that reached a BMC which acknowledged it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Power off.
    Off,
    /// Power on.
    On,
}

/// A machine and its BMC.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) on: bool,
    pub(super) told: Option<Command>,
    pub(super) condition: Condition,
    pub(super) answers_after: Duration,
    pub(super) commands: Vec<Command>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            on: true,
            told: None,
            condition: Condition::Well,
            answers_after: Duration::ZERO,
            commands: Vec::new(),
        }
    }
}

pub(super) type Machines = BTreeMap<String, Machine>;

/// The login of every BMC in the room.
pub(super) const USER: &str = "admin";
pub(super) const PASSWORD: &str = "secret";

impl FakePower {
    /// Adds a machine that is on, unless it is there, and gives what it takes to log in to its
    /// BMC. A machine that was never added has a BMC that nobody can reach.
    #[must_use]
    pub fn machine(&self, host: &str) -> Bmc {
        self.machines().entry(host.to_owned()).or_default();
        Bmc {
            host: host.to_owned(),
            user: USER.to_owned(),
            password: Secret::new(PASSWORD.to_owned()),
        }
    }

    /// Switches a machine behind its BMC's back: a power cut, or its button.
    pub fn set(&self, host: &str, on: bool) {
        self.change(host, |machine| machine.on = on);
    }

    /// Makes a BMC be like this from now on, for calls under way too.
    pub fn condition(&self, host: &str, condition: Condition) {
        self.change(host, |machine| {
            machine.condition = condition;
            machine.told = None;
        });
    }

    /// Makes a BMC take so long for everything from now on.
    pub fn answers_after(&self, host: &str, delay: Duration) {
        self.change(host, |machine| machine.answers_after = delay);
    }

    /// Whether a machine really has power.
    #[must_use]
    pub fn is_on(&self, host: &str) -> bool {
        self.machines().get(host).is_some_and(|machine| machine.on)
    }

    /// The commands its BMC acknowledged, oldest first.
    #[must_use]
    pub fn commands(&self, host: &str) -> Vec<Command> {
        self.machines().get(host).map(|machine| machine.commands.clone()).unwrap_or_default()
    }

    pub(super) fn machines(&self) -> MutexGuard<'_, Machines> {
        // A test that failed under the lock must not hide behind the next one.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, host: &str, change: impl FnOnce(&mut Machine)) {
        change(self.machines().entry(host.to_owned()).or_default());
    }
}
