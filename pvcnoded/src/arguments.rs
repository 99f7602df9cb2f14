//! The command line: almost none, for everything else is in the configuration file.

use std::ffi::OsString;

use pvcnoded::config::{DEFAULT_PATH, PATH_VARIABLE};

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Be the daemon.
    Serve,
    /// Check the configuration.
    CheckConfig,
    /// Show a text.
    Show(String),
}

impl Request {
    /// Understands the arguments after the program's name; `Err` is what to tell people.
    pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let arguments: Vec<OsString> = arguments.collect();
        let words: Vec<&str> =
            arguments.iter().map(|argument| argument.to_str().unwrap_or("?")).collect();
        match words[..] {
            [] => Ok(Self::Serve),
            ["--check-config"] => Ok(Self::CheckConfig),
            ["--version" | "-V"] => Ok(Self::Show(format!("pvcnoded {}", pvc_runtime::VERSION))),
            ["--help" | "-h"] => Ok(Self::Show(help())),
            [unknown, ..] => {
                Err(format!("pvcnoded: unexpected argument `{unknown}`\n\n{}", help()))
            }
        }
    }
}

fn help() -> String {
    format!(
        "The PVC node daemon.\n\n\
         Usage: pvcnoded [--check-config | --version | --help]\n\n\
         --check-config  check the configuration: print OK, or everything that is wrong with it\n\
         --version       print the version\n\
         --help          print this\n\n\
         The configuration is {DEFAULT_PATH}, unless ${PATH_VARIABLE} names another file."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Request, String> {
        Request::parse(words.iter().map(OsString::from))
    }

    #[test]
    fn without_arguments_it_is_the_daemon() {
        assert_eq!(parse(&[]), Ok(Request::Serve));
        assert_eq!(parse(&["--check-config"]), Ok(Request::CheckConfig));
    }

    #[test]
    fn an_unknown_argument_is_named_with_what_there_is() {
        let message = parse(&["--chek-config"]).unwrap_err();
        assert!(message.contains("`--chek-config`") && message.contains("Usage:"), "{message}");
    }
}
