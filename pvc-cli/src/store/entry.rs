//! One connection.

use std::path::PathBuf;

use pvc_client::{ApiKey, Endpoint, Scheme};
use serde_json::{Map, Value};

use super::local;
use crate::failure::Failure;

/// A connection as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Written down.
    Remote(Remote),
    /// To be read from a daemon's configuration on this machine.
    Config(PathBuf),
}

/// A connection whose particulars are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remote {
    /// What the person says about it.
    pub(crate) description: String,
    /// Host name or address.
    pub(crate) host: String,
    /// TCP port.
    pub(crate) port: u16,
    /// Whether it speaks TLS.
    pub(crate) tls: bool,
    /// The API key, if one is needed.
    pub(crate) key: Option<ApiKey>,
}

impl Remote {
    /// The endpoint; `verify` says whether a certificate must be valid.
    pub(crate) fn endpoint(&self, verify: bool) -> Endpoint {
        Endpoint {
            scheme: if self.tls { Scheme::Https { verify } } else { Scheme::Http },
            host: self.host.clone(),
            port: self.port,
            key: self.key.clone(),
        }
    }

    /// The word for its scheme in the store.
    pub(crate) const fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}

impl Entry {
    /// Reads what the store holds for `name`.
    pub(crate) fn read(name: &str, value: &Value) -> Result<Self, Failure> {
        let bad = |what: &str| {
            Failure::new(format!("Connection \"{name}\" in the store has {what}"))
                .hint(format!("Remove it with `pvc connection remove {name}` and add it again."))
        };
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        if let Some(path) = text("cfgfile") {
            return Ok(Self::Config(path.into()));
        }
        let port = match value.get("port") {
            Some(Value::Number(number)) => number.as_u64().and_then(|n| u16::try_from(n).ok()),
            Some(Value::String(text)) => text.parse().ok(),
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => None,
        };
        Ok(Self::Remote(Remote {
            description: text("description").unwrap_or("N/A").to_owned(),
            host: text("host").ok_or_else(|| bad("no host"))?.to_owned(),
            port: port.ok_or_else(|| bad("no valid port"))?,
            tls: match text("scheme") {
                Some("http") => false,
                Some("https") => true,
                Some(_) | None => return Err(bad("no valid scheme")),
            },
            key: text("api_key")
                .filter(|key| !key.is_empty())
                .map(|key| ApiKey::new(key.to_owned())),
        }))
    }

    /// What the store holds for it.
    pub(crate) fn write(&self) -> Value {
        let mut map = Map::new();
        match self {
            Self::Config(path) => {
                map.insert("cfgfile".into(), path.to_string_lossy().into());
            }
            Self::Remote(remote) => {
                let key = remote.key.as_ref().map_or("", ApiKey::reveal);
                map.insert("api_key".into(), key.into());
                map.insert("description".into(), remote.description.as_str().into());
                map.insert("host".into(), remote.host.as_str().into());
                map.insert("port".into(), remote.port.into());
                map.insert("scheme".into(), remote.scheme().into());
            }
        }
        Value::Object(map)
    }

    /// Its particulars, read from the daemon's configuration if need be.
    pub(crate) fn resolve(&self) -> Result<Remote, Failure> {
        match self {
            Self::Remote(remote) => Ok(remote.clone()),
            Self::Config(path) => local::read(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_of_the_other_client_is_understood() {
        let value = json!({"description": "d", "host": "h", "port": "7370",
                           "scheme": "https", "api_key": "k"});
        let Entry::Remote(remote) = Entry::read("a", &value).unwrap() else {
            panic!("not remote");
        };
        assert_eq!((remote.port, remote.tls), (7370, true));
        assert_eq!(remote.key, Some(ApiKey::new("k".into())));
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        for entry in [
            Entry::Config("/etc/pvc/pvc.conf".into()),
            Entry::Remote(Remote {
                description: "d".into(),
                host: "h".into(),
                port: 1,
                tls: false,
                key: None,
            }),
        ] {
            assert_eq!(Entry::read("a", &entry.write()).unwrap(), entry);
        }
    }

    #[test]
    fn a_broken_entry_says_what_is_missing() {
        let failure = Entry::read("a", &json!({"host": "h", "port": 70_000})).unwrap_err();
        assert!(format!("{failure:?}").contains("no valid port"));
    }
}
