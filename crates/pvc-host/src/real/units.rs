//! Units by way of `systemctl`.

use std::path::Path;
use std::time::Duration;

use pvc_command::Command;

use crate::{UnitError, UnitState, Units};

/// Long enough for a unit that waits for its disks, short enough for a person to wait for.
const CHANGE_LIMIT: Duration = Duration::from_secs(90);
/// A question is answered from systemd's memory.
const QUESTION_LIMIT: Duration = Duration::from_secs(10);

/// What a unit's state is read from.
const PROPERTIES: &str = "--property=LoadState,ActiveState,SubState";

/// The systemd of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Systemctl;

impl Systemctl {
    async fn change(&self, verb: &'static str, unit: &str) -> Result<(), UnitError> {
        match Command::new("systemctl", CHANGE_LIMIT).args([verb, unit]).run().await {
            Ok(_) => Ok(()),
            Err(source) => Err(failed(verb, unit, source)),
        }
    }

    async fn change_all(&self, verb: &'static str, units: &[String]) -> Result<(), UnitError> {
        let [first, others @ ..] = units else { return Ok(()) };
        let command = Command::new("systemctl", CHANGE_LIMIT).arg(verb).args(units);
        match command.run().await {
            Ok(_) => Ok(()),
            Err(source) if others.is_empty() => Err(failed(verb, first, source)),
            Err(source) => {
                Err(failed(verb, &format!("{first} or one of {} others", others.len()), source))
            }
        }
    }
}

fn failed(verb: &'static str, unit: &str, source: pvc_command::CommandError) -> UnitError {
    UnitError::Failed { verb, unit: unit.to_owned(), source }
}

impl Units for Systemctl {
    async fn state(&self, unit: &str) -> Result<UnitState, UnitError> {
        // A container without systemd has no units, which is no error.
        if !Path::new("/run/systemd/system").exists() {
            return Ok(UnitState::Absent);
        }
        let output = Command::new("systemctl", QUESTION_LIMIT)
            .args(["show", PROPERTIES, unit])
            .run()
            .await
            .map_err(|source| failed("show", unit, source))?;
        Ok(parse(&output.stdout))
    }

    async fn start(&self, unit: &str) -> Result<(), UnitError> {
        if self.state(unit).await? == UnitState::Absent {
            return Err(UnitError::Absent { unit: unit.to_owned() });
        }
        self.change("start", unit).await
    }

    async fn stop(&self, unit: &str) -> Result<(), UnitError> {
        match self.state(unit).await? {
            UnitState::Absent | UnitState::Inactive => Ok(()),
            UnitState::Starting
            | UnitState::Active
            | UnitState::Stopping
            | UnitState::Failed
            | UnitState::Restarting => self.change("stop", unit).await,
        }
    }

    async fn states(&self, units: &[String]) -> Result<Vec<UnitState>, UnitError> {
        let [first, ..] = units else { return Ok(Vec::new()) };
        if !Path::new("/run/systemd/system").exists() {
            return Ok(vec![UnitState::Absent; units.len()]);
        }
        let output = Command::new("systemctl", QUESTION_LIMIT)
            .args(["show", PROPERTIES])
            .args(units)
            .run()
            .await
            .map_err(|source| failed("show", first, source))?;
        let mut states = parse_all(&output.stdout);
        states.resize(units.len(), UnitState::Absent);
        Ok(states)
    }

    async fn start_all(&self, units: &[String]) -> Result<(), UnitError> {
        self.change_all("start", units).await
    }

    async fn reload_all(&self, units: &[String]) -> Result<(), UnitError> {
        self.change_all("reload", units).await
    }

    async fn stop_all(&self, units: &[String]) -> Result<(), UnitError> {
        self.change_all("stop", units).await
    }
}

/// What `systemctl show` says of many units' states: a paragraph for each, in order.
fn parse_all(properties: &str) -> Vec<UnitState> {
    properties.split("\n\n").map(parse).collect()
}

/// What `systemctl show` says of a unit's state.
fn parse(properties: &str) -> UnitState {
    let property = |name| {
        let lines = properties.lines();
        lines.filter_map(|line| line.split_once('=')).find(|(key, _)| *key == name)
    };
    let again = property("SubState").is_some_and(|(_, state)| state.starts_with("auto-restart"));
    match (property("LoadState"), property("ActiveState")) {
        (Some((_, "not-found" | "masked" | "bad-setting" | "error")), _) => UnitState::Absent,
        (_, Some((_, "active" | "reloading"))) => UnitState::Active,
        (_, Some((_, "activating"))) if again => UnitState::Restarting,
        (_, Some((_, "activating"))) => UnitState::Starting,
        (_, Some((_, "deactivating"))) => UnitState::Stopping,
        (_, Some((_, "failed"))) => UnitState::Failed,
        (_, Some(_)) => UnitState::Inactive,
        (_, None) => UnitState::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemctl_shows_is_understood() {
        for (shown, state) in [
            ("LoadState=loaded\nActiveState=active\n", UnitState::Active),
            ("LoadState=loaded\nActiveState=inactive\n", UnitState::Inactive),
            ("LoadState=loaded\nActiveState=activating\n", UnitState::Starting),
            ("ActiveState=activating\nSubState=start-pre\n", UnitState::Starting),
            ("ActiveState=activating\nSubState=auto-restart\n", UnitState::Restarting),
            ("ActiveState=activating\nSubState=auto-restart-queued\n", UnitState::Restarting),
            ("LoadState=loaded\nActiveState=failed\n", UnitState::Failed),
            ("LoadState=not-found\nActiveState=inactive\n", UnitState::Absent),
            ("LoadState=masked\nActiveState=inactive\n", UnitState::Absent),
            ("", UnitState::Absent),
        ] {
            assert_eq!(parse(shown), state, "{shown:?}");
        }
    }

    #[test]
    fn many_units_are_told_in_their_order() {
        let shown = "LoadState=loaded\nActiveState=active\n\nActiveState=inactive\n\
                     LoadState=not-found\n\nLoadState=loaded\nActiveState=failed\n";
        let states = [UnitState::Active, UnitState::Absent, UnitState::Failed];
        assert_eq!(parse_all(shown), states);
    }
}
