//! What a lease is between dnsmasq, the helper and the daemon: events, and their text forms.
//!
//! A record is one line of words, of which none holds a blank. Whatever dnsmasq hands on of what a
//! guest said of itself is parsed before it is kept.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use pvc_common::id::{Duid, Hostname, MacAddress, Vni};

/// A lease of an IPv4 address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease4 {
    /// Who holds it.
    pub mac: MacAddress,
    /// The address.
    pub ip: Ipv4Addr,
    /// The name its holder gave itself.
    pub hostname: Option<Hostname>,
    /// When it ends, in UNIX seconds.
    pub expiry: u64,
    /// How its holder identified itself.
    pub client_id: Option<Duid>,
}

/// A lease of an IPv6 address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease6 {
    /// Who holds it.
    pub duid: Duid,
    /// For which of its interfaces.
    pub iaid: u32,
    /// The address.
    pub ip: Ipv6Addr,
    /// The name its holder gave itself.
    pub hostname: Option<Hostname>,
    /// When it ends, in UNIX seconds.
    pub expiry: u64,
    /// The hardware address it was asked from.
    pub mac: Option<MacAddress>,
}

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Of an IPv4 address.
    V4(Lease4),
    /// Of an IPv6 address.
    V6(Lease6),
}

/// What dnsmasq tells of a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody holds it, since now or longer.
    Held(Record),
    /// Nobody holds it any more.
    Gone(Record),
}

/// Why something is no record of a lease.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRecord(String);

impl BadRecord {
    fn of(what: &str, text: &str) -> Self {
        // What a guest says must not flood a log line.
        Self(format!("`{}` is no {what}", text.chars().take(80).collect::<String>()))
    }
}

fn word<T: FromStr>(what: &str, text: &str) -> Result<T, BadRecord> {
    text.parse().map_err(|_| BadRecord::of(what, text))
}

/// `*` stands for nothing.
fn perhaps<T: FromStr>(what: &str, text: &str) -> Result<Option<T>, BadRecord> {
    if text == "*" { Ok(None) } else { word(what, text).map(Some) }
}

/// Writes `*` for nothing.
struct OrStar<'a, T>(&'a Option<T>);

impl<T: fmt::Display> fmt::Display for OrStar<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("*"),
        }
    }
}

impl Record {
    /// The address.
    #[must_use]
    pub const fn ip(&self) -> IpAddr {
        match self {
            Self::V4(lease) => IpAddr::V4(lease.ip),
            Self::V6(lease) => IpAddr::V6(lease.ip),
        }
    }

    /// When it is over, in UNIX seconds: the greatest number for one that never is.
    #[must_use]
    pub const fn end(&self) -> u64 {
        match self {
            Self::V4(Lease4 { expiry, .. }) | Self::V6(Lease6 { expiry, .. }) => match *expiry {
                0 => u64::MAX,
                expiry => expiry,
            },
        }
    }

    /// Whether both are of the same lease: the address, and who holds it.
    #[must_use]
    pub fn is_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::V4(a), Self::V4(b)) => a.mac == b.mac,
            (Self::V6(a), Self::V6(b)) => a.ip == b.ip,
            (Self::V4(_), Self::V6(_)) | (Self::V6(_), Self::V4(_)) => false,
        }
    }

    /// Whether both are of the same lease or of the same address, so that their order counts.
    #[must_use]
    pub fn concerns(&self, other: &Self) -> bool {
        self.is_of(other) || self.ip() == other.ip()
    }

    /// The name its holder gave itself.
    const fn hostname(&self) -> Option<&Hostname> {
        match self {
            Self::V4(Lease4 { hostname, .. }) | Self::V6(Lease6 { hostname, .. }) => {
                hostname.as_ref()
            }
        }
    }

    /// The same lease, with what is known of it from `before` and not told anew: the name its holder gave
    /// itself, and the hardware address it was asked from.
    fn completed_by(mut self, before: &Self) -> Self {
        let (Self::V4(Lease4 { hostname, .. }) | Self::V6(Lease6 { hostname, .. })) = &mut self;
        if hostname.is_none() {
            *hostname = before.hostname().cloned();
        }
        if let (Self::V6(lease), Self::V6(before)) = (&mut self, before)
            && lease.duid == before.duid
        {
            lease.mac = lease.mac.or(before.mac);
        }
        self
    }

    /// The line that dnsmasq reads it from.
    fn line(&self) -> String {
        match self {
            Self::V4(Lease4 { mac, ip, hostname, expiry, client_id }) => {
                format!("{expiry} {mac} {ip} {} {}", OrStar(hostname), OrStar(client_id))
            }
            Self::V6(Lease6 { duid, iaid, ip, hostname, expiry, .. }) => {
                format!("{expiry} {iaid} {ip} {} {duid}", OrStar(hostname))
            }
        }
    }
}

/// What dnsmasq is told when it asks for the leases there are.
///
/// With the server's own identity, which is the network's and not the node's: otherwise clients of
/// IPv6 would wait in vain for the server that gave them their address once the primary has moved.
#[must_use]
pub fn base(vni: Vni, records: &[Record]) -> String {
    let is_v4 = |record: &&Record| matches!(record, Record::V4(_));
    let [_, a, b, c] = vni.get().to_be_bytes();
    // Type 3: by a link-layer address; one that is administered locally.
    let duid = format!("duid 00:03:00:01:02:00:00:{a:02x}:{b:02x}:{c:02x}");
    let v4 = records.iter().filter(is_v4).map(Record::line);
    let v6 = records.iter().filter(|record| !is_v4(record)).map(Record::line);
    let lines: Vec<String> = v4.chain([duid]).chain(v6).collect();
    lines.join("\n") + "\n"
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(Lease4 { mac, ip, hostname, expiry, client_id }) => {
                write!(f, "v4 {mac} {ip} {} {expiry} {}", OrStar(hostname), OrStar(client_id))
            }
            Self::V6(Lease6 { duid, iaid, ip, hostname, expiry, mac }) => {
                write!(f, "v6 {duid} {iaid} {ip} {} {expiry} {}", OrStar(hostname), OrStar(mac))
            }
        }
    }
}

impl FromStr for Record {
    type Err = BadRecord;

    fn from_str(text: &str) -> Result<Self, BadRecord> {
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            ["v4", mac, ip, hostname, expiry, client_id] => Ok(Self::V4(Lease4 {
                mac: word("MAC address", mac)?,
                ip: word("IPv4 address", ip)?,
                hostname: perhaps("host name", hostname)?,
                expiry: word("time", expiry)?,
                client_id: perhaps("client id", client_id)?,
            })),
            ["v6", duid, iaid, ip, hostname, expiry, mac] => Ok(Self::V6(Lease6 {
                duid: word("DUID", duid)?,
                iaid: word("IAID", iaid)?,
                ip: word("IPv6 address", ip)?,
                hostname: perhaps("host name", hostname)?,
                expiry: word("time", expiry)?,
                mac: perhaps("MAC address", mac)?,
            })),
            _ => Err(BadRecord::of("lease", text)),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(record) => write!(f, "held {record}"),
            Self::Gone(record) => write!(f, "gone {record}"),
        }
    }
}

impl FromStr for Event {
    type Err = BadRecord;

    fn from_str(text: &str) -> Result<Self, BadRecord> {
        match text.split_once(' ') {
            Some(("held", record)) => Ok(Self::Held(record.parse()?)),
            Some(("gone", record)) => Ok(Self::Gone(record.parse()?)),
            _ => Err(BadRecord::of("event", text)),
        }
    }
}

impl Event {
    /// The lease it is about.
    #[must_use]
    pub const fn record(&self) -> &Record {
        match self {
            Self::Held(record) | Self::Gone(record) => record,
        }
    }

    /// What dnsmasq tells its helper, by the helper's arguments and environment; `None` if that is
    /// not about leases.
    ///
    /// # Errors
    /// When it is about a lease that cannot be kept: its holder has no hardware address, or asked
    /// for a temporary address.
    pub fn told(
        words: &[String],
        environment: &impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, BadRecord> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let [action @ ("add" | "old" | "del"), who, ip, rest @ ..] = &words[..] else {
            return Ok(None);
        };
        // A name that is none is not kept, which is no reason to lose the lease.
        let hostname = rest.first().and_then(|name| name.parse().ok());
        let expiry = environment("DNSMASQ_LEASE_EXPIRES").unwrap_or_else(|| "0".to_owned());
        let expiry = word("time", &expiry)?;
        let record = match word("address", ip)? {
            IpAddr::V4(ip) => Record::V4(Lease4 {
                mac: word("MAC address", who)?,
                ip,
                hostname,
                expiry,
                client_id: environment("DNSMASQ_CLIENT_ID").and_then(|id| id.parse().ok()),
            }),
            IpAddr::V6(ip) => Record::V6(Lease6 {
                duid: word("DUID", who)?,
                iaid: word("IAID", &environment("DNSMASQ_IAID").unwrap_or_default())?,
                ip,
                hostname,
                expiry,
                mac: environment("DNSMASQ_MAC").and_then(|mac| mac.parse().ok()),
            }),
        };
        Ok(Some(if *action == "del" { Self::Gone(record) } else { Self::Held(record) }))
    }

    /// Brings leases in line with what happened to one of them.
    pub fn apply(&self, records: &mut Vec<Record>) {
        let same = |other: &Record| other.is_of(self.record());
        match self {
            Self::Held(record) => {
                let before = records.iter().find(|other| same(other) && other.ip() == record.ip());
                let record = match before {
                    Some(before) => record.clone().completed_by(before),
                    None => record.clone(),
                };
                // An address has one holder: whoever had it before has it no more.
                records.retain(|other| !same(other) && other.ip() != record.ip());
                records.push(record);
            }
            Self::Gone(record) => {
                records.retain(|other| !(same(other) && other.ip() == record.ip()));
            }
        }
    }

    /// Whether leases are in line with it already.
    #[must_use]
    pub fn is_in(&self, records: &[Record]) -> bool {
        let mut concerned = records.iter().filter(|other| other.concerns(self.record()));
        match self {
            Self::Held(record) => {
                let (one, others) = (concerned.next(), concerned.next());
                others.is_none() && one.is_some_and(|one| record.clone().completed_by(one) == *one)
            }
            Self::Gone(record) => {
                !concerned.any(|other| other.is_of(record) && other.ip() == record.ip())
            }
        }
    }
}
