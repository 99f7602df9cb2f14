//! Options of two letters behind one hyphen, which clap does not know.

use std::ffi::OsString;

/// What `node list` calls its filters in short.
const NODE_LIST: [(&str, &str); 3] =
    [("-ds", "--daemon-state"), ("-cs", "--coordinator-state"), ("-vs", "--domain-state")];

/// Spells out the two-letter options of `node list`.
pub(crate) fn spell_out(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let verb = arguments.windows(2).position(|pair| pair[0] == "node" && pair[1] == "list");
    let Some(verb) = verb else { return arguments };
    for argument in arguments.iter_mut().skip(verb + 2).take_while(|a| *a != "--") {
        let Some(text) = argument.to_str() else { continue };
        let (name, value) = text.split_once('=').map_or((text, None), |(n, v)| (n, Some(v)));
        let long = NODE_LIST.iter().find(|(short, _)| *short == name);
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
    fn other_commands_are_left_alone() {
        for command in ["pvc vm list -ds run", "pvc node list -- -ds"] {
            assert_eq!(spelled_out(command), command);
        }
    }
}
