//! The command line: almost none, for everything else is in the configuration file.

use std::ffi::OsString;

use pvcapid::config::{DEFAULT_PATH, PATH_VARIABLE};

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Be the daemon.
    Serve,
    /// Check the configuration.
    CheckConfig,
    /// Make an empty cluster, if need be of one that holds data.
    Initialize { overwrite: bool },
    /// Print the description of the API.
    DumpOpenapi,
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
            ["--initialize"] => Ok(Self::Initialize { overwrite: false }),
            ["--initialize", "--overwrite"] => Ok(Self::Initialize { overwrite: true }),
            ["dump-openapi"] => Ok(Self::DumpOpenapi),
            ["--version" | "-V"] => Ok(Self::Show(format!("pvcapid {}", pvc_runtime::VERSION))),
            ["--help" | "-h"] => Ok(Self::Show(help())),
            [first, ..] => Err(format!("pvcapid: unexpected argument `{first}`\n\n{}", help())),
        }
    }
}

fn help() -> String {
    format!(
        "The PVC API daemon.\n\n\
         Usage: pvcapid [--check-config | --initialize [--overwrite] | dump-openapi |\n\
         \x20               --version | --help]\n\n\
         --check-config  check the configuration: print OK, or everything that is wrong with it\n\
         --initialize    make an empty cluster and end; with --overwrite, of one that holds data\n\
         dump-openapi    print the description of the API (OpenAPI 3.1, JSON)\n\
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
    fn data_is_overwritten_only_when_that_is_said() {
        assert_eq!(parse(&["--initialize"]), Ok(Request::Initialize { overwrite: false }));
        assert!(parse(&["--overwrite"]).is_err());
        assert_eq!(
            parse(&["--initialize", "--overwrite"]),
            Ok(Request::Initialize { overwrite: true })
        );
    }

    #[test]
    fn an_unknown_argument_is_named_with_what_there_is() {
        let message = parse(&["--chek-config"]).unwrap_err();
        assert!(message.contains("`--chek-config`") && message.contains("Usage:"), "{message}");
    }
}
