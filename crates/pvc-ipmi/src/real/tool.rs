//! BMCs that the library cannot speak to: by `ipmitool`.

use std::time::Duration;

use pvc_command::{Command, CommandError};

use super::Request;
use crate::{Bmc, PowerError, PowerState};

/// Asks by `ipmitool`, whose name for the reason is `needs`.
pub(super) async fn ask(
    bmc: &Bmc,
    host: &str,
    port: u16,
    request: Request,
    limit: Duration,
    needs: &str,
) -> Result<PowerState, PowerError> {
    let verb = match request {
        Request::Status => "status",
        Request::Off => "off",
        Request::On => "on",
    };
    let command = Command::new("ipmitool", limit)
        .args(["-I", "lanplus", "-N", "1", "-R", "2", "-L", "OPERATOR", "-E"])
        .args(["-H", host, "-p", &port.to_string(), "-U", &bmc.user])
        .args(["chassis", "power", verb])
        // The name of the variable differs between its versions.
        .env("IPMITOOL_PASSWORD", bmc.password.reveal())
        .env("IPMI_PASSWORD", bmc.password.reveal());
    let host = bmc.host.clone();
    match command.run().await {
        Ok(output) => understand(&output.stdout, request).ok_or_else(|| PowerError::Garbled {
            host,
            why: output.stdout.trim().chars().take(200).collect(),
        }),
        Err(CommandError::TimedOut { waited, .. }) => Err(PowerError::NoAnswer { host, waited }),
        Err(CommandError::Spawn { source, .. }) => {
            Err(PowerError::Spawn { host, needs: needs.to_owned(), why: source.to_string() })
        }
        Err(CommandError::Failed { stderr, .. }) => Err(failure(host, &stderr, limit)),
        Err(error @ (CommandError::TooMuchOutput { .. } | CommandError::Pipe { .. })) => {
            Err(PowerError::Garbled { host, why: error.to_string() })
        }
    }
}

/// What it says when it succeeds.
fn understand(stdout: &str, request: Request) -> Option<PowerState> {
    match (request, stdout.trim()) {
        (Request::Status, "Chassis Power is on") => Some(PowerState::On),
        (Request::Status, "Chassis Power is off") => Some(PowerState::Off),
        (Request::On, text) if text.starts_with("Chassis Power Control: Up") => {
            Some(PowerState::On)
        }
        (Request::Off, text) if text.starts_with("Chassis Power Control: Down") => {
            Some(PowerState::Off)
        }
        (Request::Status | Request::On | Request::Off, _) => None,
    }
}

fn failure(host: String, stderr: &str, waited: Duration) -> PowerError {
    let why: String = stderr.trim().chars().take(200).collect();
    let has = |words: &[&str]| words.iter().any(|word| stderr.contains(word));
    if has(&["RAKP 2 HMAC is invalid", "unauthorized name", "Insufficient privilege"]) {
        PowerError::Denied { host, why }
    } else if has(&["Unable to establish", "timeout", "no response"]) {
        PowerError::NoAnswer { host, waited }
    } else if has(&["lookup failed", "Could not open socket"]) {
        PowerError::Unreachable { host, why }
    } else {
        PowerError::Refused { host, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_prints_is_understood_and_nothing_else() {
        let cases = [
            (Request::Status, "Chassis Power is on\n", Some(PowerState::On)),
            (Request::Status, "Chassis Power is off\n", Some(PowerState::Off)),
            (Request::Status, "Chassis power is off\n", None),
            (Request::Off, "Chassis Power Control: Down/Off\n", Some(PowerState::Off)),
            (Request::On, "Chassis Power Control: Up/On\n", Some(PowerState::On)),
            (Request::Off, "", None),
        ];
        for (request, text, state) in cases {
            assert_eq!(understand(text, request), state, "{text}");
        }
    }

    #[test]
    fn a_failure_never_says_off() {
        let waited = Duration::from_secs(1);
        let of = |text: &str| failure("bmc".to_owned(), text, waited);
        assert!(matches!(
            of("Error: Unable to establish IPMI v2 / RMCP+ session"),
            PowerError::NoAnswer { .. }
        ));
        assert!(matches!(of("RAKP 2 HMAC is invalid"), PowerError::Denied { .. }));
        assert!(matches!(of("something else"), PowerError::Refused { .. }));
    }
}
