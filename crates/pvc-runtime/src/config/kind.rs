//! Kinds of values: what a text has to look like, and what it becomes.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use pvc_common::id::NodeName;

/// A kind of value.
#[derive(Debug)]
pub struct Kind<T> {
    /// What people are told to write.
    pub expected: &'static str,
    /// Makes a value of the text; `None` if it is of another kind.
    pub parse: fn(&str) -> Option<T>,
}

/// A switch, with every word YAML 1.1 and Python take for one.
pub const FLAG: Kind<bool> = Kind {
    expected: "True or False",
    parse: |text| match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    },
};

/// A whole number from 0 up.
pub const WHOLE: Kind<u32> =
    Kind { expected: "a whole number from 0", parse: |text| text.parse().ok() };

/// A TCP port.
pub const PORT: Kind<u16> = Kind {
    expected: "a port from 1 to 65535",
    parse: |text| text.parse().ok().filter(|port| *port != 0),
};

/// Any text but none.
pub const TEXT: Kind<String> =
    Kind { expected: "a text", parse: |text| (!text.is_empty()).then(|| text.to_owned()) };

/// The name of a host or domain: labels of letters, digits and hyphens, with dots between.
pub const NAME: Kind<String> = Kind {
    expected: "a host or domain name",
    parse: |text| {
        let label = |label: &str| label.parse::<NodeName>().is_ok();
        (text.len() <= 253 && text.split('.').all(label)).then(|| text.to_owned())
    },
};

/// The short name of a node.
pub const NODE: Kind<NodeName> = Kind {
    expected: "a short host name (letters, digits and hyphens, no domain)",
    parse: |text| text.parse().ok(),
};

/// An absolute path.
pub const PATH: Kind<PathBuf> = Kind {
    expected: "an absolute path",
    parse: |text| Some(PathBuf::from(text)).filter(|path| path.is_absolute()),
};

/// An IPv4 address.
pub const ADDRESS: Kind<Ipv4Addr> =
    Kind { expected: "an IPv4 address such as 10.0.0.1", parse: |text| text.parse().ok() };

/// A host with a port, as `host:port`.
pub const HOST_PORT: Kind<String> = Kind {
    expected: "a host and a port such as hv1:2181",
    parse: |text| {
        let (host, port) = text.rsplit_once(':')?;
        ((NAME.parse)(host).is_some() && (PORT.parse)(port).is_some()).then(|| text.to_owned())
    },
};
