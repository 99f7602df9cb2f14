//! Where an API is and how to be let in.

use std::fmt;

/// What every path of the API starts with.
pub(crate) const PREFIX: &str = "/api/v1";

/// How the API is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS; `verify` off accepts any certificate.
    Https {
        /// Whether the server's certificate must be valid for its name.
        verify: bool,
    },
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https { .. } => "https",
        })
    }
}

/// The secret that lets a client in. It has no text form except on the wire.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// A key as the cluster's administrator gave it.
    #[must_use]
    pub const fn new(key: String) -> Self {
        Self(key)
    }

    /// The key itself, for the request header and for the store.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(hidden)")
    }
}

/// One API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// HTTP or HTTPS.
    pub scheme: Scheme,
    /// Host name or address; an IPv6 address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The key to send, if the cluster wants one.
    pub key: Option<ApiKey>,
}

impl Endpoint {
    /// The address of the API, such as `http://10.0.0.1:7370/api/v1`.
    #[must_use]
    pub fn base(&self) -> String {
        format!("{}://{}{PREFIX}", self.scheme, self.authority())
    }

    /// Host and port as they stand in a URL.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The path prefix of the API.
    #[must_use]
    pub const fn prefix(&self) -> &'static str {
        PREFIX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_host_is_bracketed() {
        let endpoint = Endpoint {
            scheme: Scheme::Https { verify: true },
            host: "fd00::1".into(),
            port: 7370,
            key: None,
        };
        assert_eq!(endpoint.base(), "https://[fd00::1]:7370/api/v1");
    }

    #[test]
    fn a_key_never_shows_in_debug_output() {
        let key = ApiKey::new("hunter2".into());
        assert!(!format!("{key:?}").contains("hunter2"));
    }
}
