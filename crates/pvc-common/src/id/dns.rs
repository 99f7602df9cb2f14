//! Names of the DNS: of which no other characters than a host's name may have, and underscores in
//! domains, so that none can end a word in a zone, a statement or a line of somebody's configuration.

use std::fmt;
use std::str::FromStr;

use super::BadId;

/// The longest name that fits a message of the DNS: 255 bytes with the lengths of its labels.
const LONGEST: usize = 253;

/// One label: letters, digits, those in `more` and inner hyphens, at most 63 of them.
fn is_label(text: &str, more: &[u8]) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || more.contains(&b))
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The name of a host within its network: one label, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hostname(Box<str>);

/// A name of the DNS: labels with dots between them, in lower case, without a dot at its end.
///
/// A label may have underscores: the old release makes a network's domain of its description.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(Box<str>);

impl Hostname {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl DnsName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of a host in this domain; `None` if it is too long for the DNS.
    #[must_use]
    pub fn host(&self, host: &Hostname) -> Option<Self> {
        format!("{host}.{self}").parse().ok()
    }
}

impl FromStr for Hostname {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        if is_label(text, b"") {
            Ok(Self(text.to_ascii_lowercase().into()))
        } else {
            let expected = "up to 63 letters, digits and hyphens, no hyphen at either end";
            Err(BadId::new(text, "host name", expected))
        }
    }
}

impl FromStr for DnsName {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.len() <= LONGEST && name.split('.').all(|label| is_label(label, b"_")) {
            Ok(Self(name.to_ascii_lowercase().into()))
        } else {
            let expected = "labels of letters, digits, underscores and inner hyphens with dots \
                            between them, such as net1.example.org";
            Err(BadId::new(text, "DNS name", expected))
        }
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [&str; 11] = [
        "",
        "-a",
        "a-",
        "a b",
        "a\n",
        "ä",
        "a'; drop table records; --",
        "*",
        "a\"b",
        "a\\000",
        "a/b",
    ];

    #[test]
    fn a_host_name_is_one_label_in_lower_case() {
        assert_eq!("Web-1".parse::<Hostname>().unwrap().as_str(), "web-1");
        for bad in HOSTILE.into_iter().chain(["a.b", "a.", "a_b", &"x".repeat(64)]) {
            assert!(bad.parse::<Hostname>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_dns_name_is_labels_in_lower_case_without_a_dot_at_its_end() {
        for (text, name) in [
            ("Net1.Local.", "net1.local"),
            ("a", "a"),
            ("1.168.192.in-addr.arpa", "1.168.192.in-addr.arpa"),
            // What the old release makes of the description `my_net`.
            ("My_Net.local", "my_net.local"),
            ("_net_.local", "_net_.local"),
        ] {
            assert_eq!(text.parse::<DnsName>().unwrap().as_str(), name);
        }
        for bad in HOSTILE.into_iter().chain([".", "a..b", ".a", "a..", &"x.".repeat(128)]) {
            assert!(bad.parse::<DnsName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_host_in_a_domain_is_a_name_unless_that_is_too_long() {
        let domain: DnsName = "net1.local".parse().unwrap();
        let host: Hostname = "web".parse().unwrap();
        assert_eq!(domain.host(&host).unwrap().as_str(), "web.net1.local");
        let domain: DnsName = "my_net.local".parse().unwrap();
        assert_eq!(domain.host(&host).unwrap().as_str(), "web.my_net.local");
        let long: DnsName = ["x".repeat(62).as_str(); 4].join(".").parse().unwrap();
        assert_eq!(long.host(&host), None);
    }
}
