//! What went wrong, before it is known whether `ipmitool` may help.

use std::fmt::Debug;
use std::io;
use std::time::Duration;

use ipmi_rs::IpmiError;
use ipmi_rs::rmcp::{ActivationError, RmcpIpmiError, RmcpIpmiReceiveError, V2_0ActivationError};

use crate::power::PowerError;

/// A way to protect a session, by IPMI's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suite {
    /// SHA-1 and AES-128: every BMC has it, some have it switched off.
    Three,
    /// SHA-256 and AES-128.
    Seventeen,
}

/// Why a call did not succeed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Silent,
    Unreachable(String),
    Denied(String),
    Refused(String),
    Busy,
    Garbled(String),
    /// The library cannot, but `ipmitool` may.
    BeyondLibrary {
        why: String,
        suite: Suite,
    },
    /// `ipmitool` would be needed, for this, and is not to be had.
    NoTool {
        needs: String,
        why: String,
    },
}

impl Failure {
    /// It, as the port's callers know it.
    pub(super) fn of(self, host: &str, waited: Duration) -> PowerError {
        let host = host.to_owned();
        match self {
            Self::Silent => PowerError::NoAnswer { host, waited },
            Self::Unreachable(why) => PowerError::Unreachable { host, why },
            Self::Denied(why) => PowerError::Denied { host, why },
            Self::Refused(why) => PowerError::Refused { host, why },
            Self::Busy => PowerError::Busy { host },
            Self::Garbled(why) | Self::BeyondLibrary { why, .. } => {
                PowerError::Garbled { host, why }
            }
            Self::NoTool { needs, why } => PowerError::Spawn { host, needs, why },
        }
    }

    pub(super) fn unreachable(error: &io::Error) -> Self {
        Self::Unreachable(error.to_string())
    }

    fn beyond(suite: Suite, why: impl Into<String>) -> Self {
        Self::BeyondLibrary { why: why.into(), suite }
    }

    fn not_understood(error: &impl Debug) -> Self {
        Self::beyond(Suite::Three, format!("the library says {error:?}"))
    }

    /// A session that could not be opened.
    pub(super) fn of_opening(error: &ActivationError) -> Self {
        use V2_0ActivationError as Login;
        match error {
            ActivationError::BindSocket(error) => {
                Self::beyond(Suite::Three, format!("the library needs IPv6: {error}"))
            }
            ActivationError::PingSend(_)
            | ActivationError::PongReceive(_)
            | ActivationError::GetChannelAuthenticationCapabilities(IpmiError::Connection(
                RmcpIpmiError::Receive(RmcpIpmiReceiveError::Io(_)),
            ))
            | ActivationError::V2_0(
                Login::OpenSessionResponseReceive(RmcpIpmiReceiveError::Io(_))
                | Login::RakpMessage2Receive(RmcpIpmiReceiveError::Io(_))
                | Login::RakpMessage4Receive(RmcpIpmiReceiveError::Io(_)),
            ) => Self::Silent,
            ActivationError::NoSupportedIpmiLANVersions => Self::too_old(),
            ActivationError::V2_0(Login::ServerAuthenticationFailed) => Self::wrong_login(),
            other => Self::not_understood(other),
        }
    }

    /// The status with which a BMC opens no session, by the table of IPMI 2.0.
    pub(super) fn of_login_status(status: u8) -> Self {
        match status {
            // `ipmitool` would ask the same full table.
            0x01 | 0x0b => Self::Busy,
            // Algorithms and suites that it does not have, or may not use.
            0x04..=0x07 | 0x10 | 0x11 => Self::other_suite(),
            // The library asks for an administrator of this name; there may be an operator.
            0x09 | 0x0a | 0x0d => Self::beyond(Suite::Three, "it knows no such administrator"),
            0x0c | 0x0f => Self::wrong_login(),
            other => Self::beyond(Suite::Three, format!("no session, status {other:#04x}")),
        }
    }

    /// Of a BMC that does not speak IPMI 2.0, the first that encrypts.
    pub(super) fn too_old() -> Self {
        Self::Refused("it does not speak IPMI 2.0".to_owned())
    }

    /// Of a BMC that opens a session protected in another way than was asked for.
    pub(super) fn other_suite() -> Self {
        Self::beyond(Suite::Seventeen, "it wants another cipher suite")
    }

    fn wrong_login() -> Self {
        Self::Denied("wrong user or password".to_owned())
    }

    /// An exchange within a session.
    pub(super) fn of_exchange(error: &RmcpIpmiError) -> Self {
        match error {
            RmcpIpmiError::Receive(RmcpIpmiReceiveError::Io(_)) => Self::Silent,
            other => Self::not_understood(other),
        }
    }

    /// A completion code, which says why a command was not done.
    pub(super) fn of_completion(code: u8) -> Self {
        match code {
            // Busy; out of time; updating itself; starting.
            0xc0 | 0xc3 | 0xd0..=0xd2 => Self::Busy,
            0xd4 => Self::Denied("the user may not do this".to_owned()),
            other => Self::Refused(format!("completion code {other:#04x}")),
        }
    }
}
