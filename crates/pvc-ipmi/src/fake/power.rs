//! The port, as the room's BMCs answer it.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::room::{Command, Condition, Machine, Machines, PASSWORD, USER};
use crate::bmc::Bmc;
use crate::power::{Power, PowerError, PowerState};

/// A room of machines. Cloning it gives another handle to the same room.
#[derive(Clone, Debug)]
pub struct FakePower {
    pub(super) room: Arc<Mutex<Machines>>,
    limit: Duration,
}

impl Default for FakePower {
    fn default() -> Self {
        Self::new()
    }
}

impl FakePower {
    /// An empty room, whose BMCs have the usual 4 s.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(Duration::from_secs(4))
    }

    /// An empty room; a call is given up after `limit`.
    #[must_use]
    pub fn with_limit(limit: Duration) -> Self {
        Self { room: Arc::default(), limit }
    }

    /// Waits as long as the BMC takes, then does what `act` says.
    async fn ask<T>(
        &self,
        bmc: &Bmc,
        act: impl FnOnce(&mut Machine) -> T + Send,
    ) -> Result<T, PowerError> {
        bmc.endpoint()?;
        let host = bmc.host.clone();
        let delay = self.machines().get(&host).map(|machine| machine.answers_after);
        let answer = async {
            if let Some(delay) = delay.filter(|delay| !delay.is_zero()) {
                tokio::time::sleep(delay).await;
            }
            match self.reach(bmc, act) {
                Some(answer) => answer,
                None => pending().await,
            }
        };
        let silent = PowerError::NoAnswer { host: bmc.host.clone(), waited: self.limit };
        tokio::time::timeout(self.limit, answer).await.unwrap_or(Err(silent))
    }

    /// The BMC's answer; `None` if none ever comes.
    fn reach<T>(
        &self,
        bmc: &Bmc,
        act: impl FnOnce(&mut Machine) -> T,
    ) -> Option<Result<T, PowerError>> {
        let host = bmc.host.clone();
        let mut machines = self.machines();
        let Some(machine) = machines.get_mut(&host) else {
            return Some(Err(PowerError::Unreachable { host, why: "no such host".to_owned() }));
        };
        let login_fits = bmc.user == USER && bmc.password.reveal() == PASSWORD;
        let denied = || {
            let why = "wrong user or password".to_owned();
            Some(Err(PowerError::Denied { host: host.clone(), why }))
        };
        match machine.condition {
            Condition::Dead => None,
            Condition::Closed => {
                let why = "connection refused".to_owned();
                Some(Err(PowerError::Unreachable { host, why }))
            }
            Condition::Busy => Some(Err(PowerError::Busy { host })),
            Condition::Denying => denied(),
            Condition::Well | Condition::Lying | Condition::Disobedient if !login_fits => denied(),
            Condition::Well | Condition::Lying | Condition::Disobedient => Some(Ok(act(machine))),
        }
    }

    async fn command(&self, bmc: &Bmc, command: Command) -> Result<(), PowerError> {
        self.ask(bmc, |machine| machine.obey(command)).await
    }
}

impl Power for FakePower {
    async fn status(&self, bmc: &Bmc) -> Result<PowerState, PowerError> {
        self.ask(bmc, |machine| machine.tell()).await
    }

    async fn off(&self, bmc: &Bmc) -> Result<(), PowerError> {
        self.command(bmc, Command::Off).await
    }

    async fn on(&self, bmc: &Bmc) -> Result<(), PowerError> {
        self.command(bmc, Command::On).await
    }
}

impl Machine {
    fn tell(&self) -> PowerState {
        let lie = self.told.filter(|_| self.condition == Condition::Lying);
        let on = lie.map_or(self.on, |told| told == Command::On);
        if on { PowerState::On } else { PowerState::Off }
    }

    fn obey(&mut self, command: Command) {
        self.told = Some(command);
        self.commands.push(command);
        if self.condition == Condition::Well {
            self.on = command == Command::On;
        }
    }
}
