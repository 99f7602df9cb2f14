//! Options of two letters behind one hyphen, which clap does not know.

use std::ffi::OsString;

/// Options in short, and what they stand for.
type Shorts = &'static [(&'static str, &'static str)];

/// What `node list` calls its filters in short.
const NODE_LIST: Shorts =
    &[("-ds", "--daemon-state"), ("-cs", "--coordinator-state"), ("-vs", "--domain-state")];

/// What `network add` and `modify` call the IPv6 settings in short.
const NETWORK: Shorts = &[("-i6", "--ipnet6"), ("-g6", "--gateway6")];

/// The commands that have such options.
const COMMANDS: [([&str; 2], Shorts); 3] = [
    (["node", "list"], NODE_LIST),
    (["network", "add"], NETWORK),
    (["network", "modify"], NETWORK),
];

/// Spells out the two-letter options of the command that is given.
pub(crate) fn spell_out(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let found = COMMANDS.iter().find_map(|(command, shorts)| {
        let is_command = |pair: &[OsString]| pair[0] == command[0] && pair[1] == command[1];
        Some((arguments.windows(2).position(is_command)?, shorts))
    });
    let Some((verb, shorts)) = found else { return arguments };
    for argument in arguments.iter_mut().skip(verb + 2).take_while(|a| *a != "--") {
        let Some(text) = argument.to_str() else { continue };
        let (name, value) = text.split_once('=').map_or((text, None), |(n, v)| (n, Some(v)));
        let long = shorts.iter().find(|(short, _)| *short == name);
        if let Some((_, long)) = long {
            *argument = match value {
                Some(value) => format!("{long}={value}").into(),
                None => (*long).into(),
            };
        }
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled_out(command: &str) -> String {
        let arguments = command.split(' ').map(OsString::from).collect();
        let spelled = spell_out(arguments);
        spelled.join(&OsString::from(" ")).into_string().unwrap()
    }

    #[test]
    fn two_letter_options_are_spelled_out_where_they_exist() {
        assert_eq!(
            spelled_out("pvc -q node list -ds run -cs=primary hv"),
            "pvc -q node list --daemon-state run --coordinator-state=primary hv"
        );
    }

    #[test]
    fn networks_have_such_options_too() {
        assert_eq!(
            spelled_out("pvc network add 5 -i 10.1.0.0/24 -i6 fd00::/64 -g6=fd00::1"),
            "pvc network add 5 -i 10.1.0.0/24 --ipnet6 fd00::/64 --gateway6=fd00::1"
        );
        assert_eq!(spelled_out("pvc network modify 5 -i6 x"), "pvc network modify 5 --ipnet6 x");
    }

    #[test]
    fn other_commands_are_left_alone() {
        for command in [
            "pvc vm list -ds run",
            "pvc node list -- -ds",
            "pvc network add 5 -ds",
            "pvc vm log -i6",
        ] {
            assert_eq!(spelled_out(command), command);
        }
    }
}
