//! `ipmitool`, for BMCs and users that the library cannot deal with.

use std::time::Duration;

use pvc_command::{Command, CommandError};

use super::failure::{Failure, Suite};
use super::session::Ask;
use crate::bmc::Bmc;
use crate::power::PowerState;

/// What it says of a machine that is off already, or on, where the BMC minds.
const NOT_IN_THIS_STATE: &str = "not supported in present state";

/// Asks a BMC within `limit`. `needs` is why the library could not.
pub(super) async fn ask(
    bmc: &Bmc,
    (name, port): (&str, u16),
    ask: Ask,
    suite: Suite,
    needs: String,
    limit: Duration,
) -> Result<PowerState, Failure> {
    let run = |ask| command(bmc, (name, port), ask, suite, limit).run();
    let done = run(ask).await;
    if let (Ask::Be(wanted), Err(CommandError::Failed { stderr, .. })) = (ask, &done)
        && stderr.contains(NOT_IN_THIS_STATE)
        && let Ok(output) = run(Ask::Status).await
        && understood(Ask::Status, &output.stdout) == Ok(wanted)
    {
        return Ok(wanted);
    }
    match done {
        Ok(output) => understood(ask, &output.stdout),
        Err(CommandError::Spawn { source, .. }) => {
            Err(Failure::NoTool { needs, why: source.to_string() })
        }
        Err(CommandError::TimedOut { .. }) => Err(Failure::Silent),
        Err(CommandError::Failed { stderr, .. }) => Err(why(&stderr)),
        Err(
            error @ (CommandError::TooMuchOutput { .. }
            | CommandError::Pipe { .. }
            | CommandError::Input { .. }),
        ) => Err(Failure::Garbled(error.to_string())),
    }
}

fn command(
    bmc: &Bmc,
    (name, port): (&str, u16),
    ask: Ask,
    suite: Suite,
    limit: Duration,
) -> Command {
    let verb = match ask {
        Ask::Status => "status",
        Ask::Be(PowerState::Off) => "off",
        Ask::Be(PowerState::On) => "on",
    };
    let suite = match suite {
        Suite::Three => "3",
        Suite::Seventeen => "17",
    };
    // Only if it is verbose does it say why no session was opened.
    Command::new("ipmitool", limit)
        .args(["-v", "-I", "lanplus", "-H", name, "-p", &port.to_string(), "-U", &bmc.user, "-E"])
        .args(["-L", "OPERATOR", "-C", suite, "-N", "1", "-R", "3"])
        .args(["chassis", "power", verb])
        .env("IPMITOOL_PASSWORD", bmc.password.reveal())
}

fn understood(ask: Ask, stdout: &str) -> Result<PowerState, Failure> {
    match (ask, stdout.trim()) {
        (Ask::Status, "Chassis Power is on") => Ok(PowerState::On),
        (Ask::Status, "Chassis Power is off") => Ok(PowerState::Off),
        (Ask::Be(wanted), said) if said.starts_with("Chassis Power Control:") => Ok(wanted),
        (_, said) => Err(Failure::Garbled(format!("ipmitool says `{said}`"))),
    }
}

/// What went wrong, from what it wrote. It knows only one exit status.
fn why(stderr: &str) -> Failure {
    let told = stderr.lines().map(|line| line.trim_start_matches(['>', ' ']).trim_end());
    let told = told.filter(|line| REASONS.iter().any(|reason| line.starts_with(reason)));
    let told = told.collect::<Vec<_>>().join("; ");
    let said = told.to_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if any(&["hmac is invalid", "unauthorized", "privilege", "invalid role"]) {
        Failure::Denied(told)
    } else if any(&["insufficient resources", "node busy"]) {
        Failure::Busy
    } else if any(&["address lookup", "could not open socket"]) {
        Failure::Unreachable(told)
    } else if any(&["error in open session", "rakp", "failed", "unable to get", "unable to set"]) {
        Failure::Refused(told)
    } else if any(&["unable to establish"]) {
        Failure::Silent
    } else {
        Failure::Garbled(format!("ipmitool says `{}`", stderr.trim()))
    }
}

/// How lines begin that tell why. The others complain of what was tried in passing: extensions
/// that the BMC does not have, or has for others.
const REASONS: [&str; 7] = [
    "Address lookup",
    "Could not open socket",
    "Error",
    "Unable",
    "RAKP",
    "Set Session Privilege",
    "Set Chassis Power Control",
];

#[cfg(test)]
mod tests {
    use super::*;
    use pvc_common::secret::Secret;

    #[test]
    fn the_password_is_no_argument() {
        let bmc = Bmc {
            host: "bmc".to_owned(),
            user: "admin".to_owned(),
            password: Secret::new("s3cret".to_owned()),
        };
        let limit = Duration::from_secs(1);
        let command = command(&bmc, ("bmc", 623), Ask::Status, Suite::Seventeen, limit);
        assert_eq!(
            command.to_string(),
            "ipmitool -v -I lanplus -H bmc -p 623 -U admin -E -L OPERATOR -C 17 -N 1 -R 3 \
             chassis power status"
        );
    }

    #[test]
    fn what_it_says_of_the_power_is_understood() {
        let off = Ask::Be(PowerState::Off);
        for (ask, stdout, state) in [
            (Ask::Status, "Chassis Power is on\n", PowerState::On),
            (Ask::Status, "Chassis Power is off\n", PowerState::Off),
            (off, "Chassis Power Control: Down/Off\n", PowerState::Off),
        ] {
            assert_eq!(understood(ask, stdout), Ok(state), "{stdout}");
        }
        assert!(matches!(understood(Ask::Status, ""), Err(Failure::Garbled(_))));
        assert!(matches!(understood(off, "Chassis Power is on"), Err(Failure::Garbled(_))));
    }

    /// What 1.8.19 wrote to OpenIPMI's simulator.
    #[test]
    fn what_it_complains_about_is_told_apart() {
        let unable = "Error: Unable to establish IPMI v2 / RMCP+ session";
        let passing = "Loading IANA PEN Registry...\n\
                       Get HPM.x Capabilities request failed, compcode = d4\n\
                       Invalid completion code received: Insufficient privilege level\n";
        let seen = |line: &str| why(&format!("{passing}{line}\n{unable}\n"));
        let wrong_password = seen("> RAKP 2 HMAC is invalid");
        let denied = Failure::Denied(format!("RAKP 2 HMAC is invalid; {unable}"));
        assert_eq!(wrong_password, denied);
        for denied in [
            seen("RAKP 2 message indicates an error : unauthorized name"),
            why("Set Chassis Power Control to Down/Off failed: Insufficient privilege level"),
        ] {
            assert!(matches!(denied, Failure::Denied(_)), "{denied:?}");
        }
        let suite = "Error in open session response message : invalid authentication algorithm";
        assert!(matches!(seen(suite), Failure::Refused(_)));
        let full = "Error in open session response message : insufficient resources for session";
        assert_eq!(seen(full), Failure::Busy);
        assert!(matches!(seen("Could not open socket!"), Failure::Unreachable(_)));
        assert_eq!(seen(""), Failure::Silent);
        assert!(matches!(why("Segmentation fault"), Failure::Garbled(_)));
    }
}
