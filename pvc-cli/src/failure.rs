//! How a command ends when it does not end well: what is said, and the exit code.

use std::process::ExitCode;

use pvc_client::ClientError;

/// What every command returns.
pub(crate) type Outcome = Result<(), Failure>;

/// The exit codes other than 0. Success, and a question answered with "no", are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command failed, or the answer is "no" (`node is-primary`).
    Failed,
    /// The command line makes no sense; the same code that clap uses.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Failed => Self::from(1),
            Exit::Usage => Self::from(2),
        }
    }
}

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something a person can act upon.
    Told {
        /// What failed, and for whom.
        message: String,
        /// What to do next.
        hint: Option<String>,
        /// With which code to exit.
        exit: Exit,
    },
    /// The person said no; this counts as success.
    Declined,
    /// There is nothing to say, the exit code is the answer.
    Silent,
    /// Whoever reads the output has gone away, as `head` does; this counts as success.
    PipeClosed,
}

impl Failure {
    /// A failure that is explained by one sentence.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::Told { message: message.into(), hint: None, exit: Exit::Failed }
    }

    /// A command line that makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Told { message: message.into(), hint: None, exit: Exit::Usage }
    }

    /// What failed, and for whom.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Told { message, .. } => message,
            Self::Declined => "declined",
            Self::Silent | Self::PipeClosed => "",
        }
    }

    /// Says what to do next, unless that has been said already.
    #[must_use]
    pub(crate) fn hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Told { message, hint, exit } => {
                Self::Told { message, hint: hint.or_else(|| Some(text.into())), exit }
            }
            Self::Declined | Self::Silent | Self::PipeClosed => self,
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let hint = match &error {
            ClientError::Unreachable { .. } => {
                "Is the cluster up, and are these its address and scheme? The API runs on the primary \
                 coordinator only; `pvc connection list` shows where this client looks for it."
            }
            ClientError::TimedOut { .. } => {
                "The request may still take effect: look at the result before you repeat it."
            }
            ClientError::Untrusted { .. } => {
                "PVC_CLIENT_VERIFY_SSL=False accepts any certificate; an API without TLS is \
                 added with `pvc connection add --no-ssl`."
            }
            ClientError::Denied { .. } => {
                "`pvc connection add` with `--api-key` stores the right key."
            }
            ClientError::Broken { .. } => {
                "The log of pvcapid on the primary coordinator tells more."
            }
            ClientError::Garbled { .. } => {
                "Is this the API of PVC, and about as new as this client?"
            }
            ClientError::BadAddress { .. } => {
                "Remove the connection and add it with a host name or an IP address."
            }
            ClientError::NotFound { .. } | ClientError::Refused { .. } => "",
        };
        let message = match &error {
            ClientError::Unreachable { .. } => format!("Failed to connect to the API: {error}"),
            ClientError::NotFound { message } | ClientError::Refused { message, .. } => {
                message.trim_start_matches("ERROR: ").to_owned()
            }
            ClientError::TimedOut { .. }
            | ClientError::Untrusted { .. }
            | ClientError::Denied { .. }
            | ClientError::Broken { .. }
            | ClientError::Garbled { .. }
            | ClientError::BadAddress { .. } => format!("The API failed: {error}"),
        };
        let failure = Self::new(message);
        if hint.is_empty() { failure } else { failure.hint(hint) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hint_given_is_the_one_shown() {
        let failure = Failure::new("x").hint("near").hint("far");
        let Failure::Told { hint, .. } = failure else {
            panic!("not told");
        };
        assert_eq!(hint.unwrap(), "near");
    }

    #[test]
    fn a_refusal_speaks_in_the_servers_words() {
        let error =
            ClientError::Refused { status: 400, message: "ERROR: VM 'a' is not stopped".into() };
        let Failure::Told { message, hint, .. } = Failure::from(error) else {
            panic!("not told");
        };
        assert_eq!(message, "VM 'a' is not stopped");
        assert_eq!(hint, None);
    }
}
