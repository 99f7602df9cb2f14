//! A BMC: where it is and how to log in.

use std::net::{IpAddr, Ipv6Addr};

use pvc_common::secret::Secret;

use crate::power::PowerError;

/// The port of IPMI over a network.
pub const DEFAULT_PORT: u16 = 623;

/// A BMC and how to log in.
///
/// Has no `Debug`, for it holds a password; say [`Bmc::host`] instead.
#[derive(Clone, PartialEq, Eq)]
pub struct Bmc {
    /// Its name or address, with `:port` behind it unless that is [`DEFAULT_PORT`]. An IPv6
    /// address with a port stands in brackets.
    pub host: String,
    /// The user to log in as. Operator is privilege enough.
    pub user: String,
    /// That user's password.
    pub password: Secret<String>,
}

impl Bmc {
    /// Its name or address, and its port.
    ///
    /// # Errors
    /// [`PowerError::Unusable`]: no host is configured, only a placeholder for one is, or it is
    /// no host at all.
    pub fn endpoint(&self) -> Result<(&str, u16), PowerError> {
        let host = self.host.trim();
        let (name, port) = split(host).ok_or_else(|| self.unusable())?;
        if is_placeholder(name) { Err(self.unusable()) } else { Ok((name, port)) }
    }

    fn unusable(&self) -> PowerError {
        PowerError::Unusable { host: self.host.clone() }
    }
}

/// A host and its port; `None` if it is not written like one.
fn split(host: &str) -> Option<(&str, u16)> {
    if host.parse::<Ipv6Addr>().is_ok() {
        return Some((host, DEFAULT_PORT));
    }
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            (address, rest.strip_prefix(':'))
        }
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let port = match port {
        Some(digits) => digits.parse().ok().filter(|port| *port != 0)?,
        None => DEFAULT_PORT,
    };
    // A name that begins with a dash would be an option to `ipmitool`.
    let well_formed = !name.is_empty()
        && !name.starts_with('-')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:".contains(c));
    well_formed.then_some((name, port))
}

/// Whether a name stands for no machine: what Python wrote for nothing, an address that is none.
fn is_placeholder(name: &str) -> bool {
    let nothing = ["none", "null", "unset"].iter().any(|word| name.eq_ignore_ascii_case(word));
    nothing || name.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(host: &str) -> Option<(String, u16)> {
        let bmc = Bmc {
            host: host.to_owned(),
            user: "admin".to_owned(),
            password: Secret::new("secret".to_owned()),
        };
        match bmc.endpoint() {
            Ok((name, port)) => Some((name.to_owned(), port)),
            Err(error) => {
                assert_eq!(error, PowerError::Unusable { host: host.to_owned() });
                None
            }
        }
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for (host, name, port) in [
            ("hv1-lom.example.org", "hv1-lom.example.org", 623),
            ("hv1-lom:6230", "hv1-lom", 6230),
            ("10.0.0.1", "10.0.0.1", 623),
            ("10.0.0.1:6230", "10.0.0.1", 6230),
            ("fd00::1", "fd00::1", 623),
            ("[fd00::1]", "fd00::1", 623),
            ("[fd00::1]:6230", "fd00::1", 6230),
        ] {
            assert_eq!(endpoint(host), Some((name.to_owned(), port)), "{host}");
        }
    }

    #[test]
    fn a_host_that_is_none_is_refused_before_anything_is_sent() {
        for host in [
            "",
            " ",
            "None",
            "null",
            "0.0.0.0",
            "::",
            "-Ifree",
            "bmc:",
            "bmc:0",
            "bmc:70000",
            "<host>",
            "{node}-lom",
            "[bmc]:623",
        ] {
            assert_eq!(endpoint(host), None, "{host}");
        }
    }
}
