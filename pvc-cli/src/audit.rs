//! One line in the system log for every invocation: who ran what.

use std::env;
use std::ffi::OsString;
use std::os::unix::net::UnixDatagram;

/// Facility AUTH, severity INFO, as syslog numbers them.
const PRIORITY: u8 = 4 * 8 + 6;

/// Where the system log listens.
const SOCKET: &str = "/dev/log";

/// Writes the line; a machine without a system log goes without.
pub(crate) fn record(arguments: &[OsString]) {
    let user = env::var("USER").unwrap_or_default();
    let line = line(arguments, &user, std::process::id());
    // Best effort: auditing must not keep a person from repairing a broken machine, and a
    // log that does not take the line at once must not hold the command up.
    let sent = UnixDatagram::unbound().and_then(|socket| {
        socket.set_nonblocking(true)?;
        socket.send_to(line.as_bytes(), SOCKET)
    });
    drop(sent);
}

fn line(arguments: &[OsString], user: &str, pid: u32) -> String {
    let command = redact(arguments).join(" ");
    let program = arguments
        .first()
        .map(|path| path.to_string_lossy().rsplit('/').next().unwrap_or_default().to_owned())
        .unwrap_or_default();
    let text = format!("client audit: command \"{command}\" by user {user}");
    // A line feed in an argument must not look like another line of the log.
    let text: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    format!("<{PRIORITY}>{program}[{pid}]: {text}")
}

/// The arguments without API keys.
fn redact(arguments: &[OsString]) -> Vec<String> {
    let mut redacted = Vec::with_capacity(arguments.len());
    let mut secret_follows = false;
    // `-k` is a key where connections are added; elsewhere it is a switch.
    let short_is_key = arguments.windows(2).any(|pair| pair[0] == "connection" && pair[1] == "add");
    for argument in arguments {
        let text = argument.to_string_lossy();
        let is_long = text.starts_with("--") && text.contains("key");
        let is_short = short_is_key && text.starts_with("-k");
        redacted.push(match (secret_follows, is_long, is_short, text.split_once('=')) {
            (true, ..) => "***".to_owned(),
            (false, true, _, Some((name, _))) => format!("{name}=***"),
            (false, false, true, _) if text.len() > 2 => "-k***".to_owned(),
            (false, ..) => text.to_string(),
        });
        let shows_keys = text == "--show-keys";
        secret_follows = !secret_follows
            && !shows_keys
            && ((is_long && !text.contains('=')) || (is_short && text.len() == 2));
    }
    redacted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(command: &str) -> String {
        let arguments: Vec<OsString> = command.split(' ').map(OsString::from).collect();
        redact(&arguments).join(" ")
    }

    #[test]
    fn a_key_is_not_audited_however_it_is_given() {
        for key in ["-k hunter2", "-khunter2", "--api-key hunter2", "--api-key=hunter2"] {
            let text = redacted(&format!("pvc connection add a {key} -a host"));
            assert!(!text.contains("hunter2"), "{text}");
            assert!(text.ends_with("-a host"), "{text}");
        }
    }

    #[test]
    fn everything_else_is_audited_as_it_was_typed() {
        for command in [
            "pvc -q vm stop web1 --yes",
            "pvc connection list -k",
            "pvc connection list --show-keys -f raw",
        ] {
            assert_eq!(redacted(command), command);
        }
    }

    #[test]
    fn an_argument_cannot_forge_a_line_of_the_log() {
        let arguments: Vec<OsString> = vec!["/usr/bin/pvc".into(), "a\nb".into()];
        assert_eq!(
            line(&arguments, "root", 7),
            "<38>pvc[7]: client audit: command \"/usr/bin/pvc a?b\" by user root"
        );
    }
}
