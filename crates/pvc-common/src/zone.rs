//! Zones of the DNS: what is written to PowerDNS' database, and what stands there.
//!
//! What is written is typed, so that no text of a person gets into it. What stands there may be
//! anybody's, and is text.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::id::DnsName;

/// What PVC calls itself in a zone that it keeps; all others it leaves alone.
pub const ACCOUNT: &str = "internal";

/// How a zone is to be treated by those who copy it, and whom to ask about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Soa {
    /// The server whose data it is.
    pub server: DnsName,
    /// Who answers for it: a mailbox with a dot for its `@`.
    pub contact: DnsName,
    /// Counts its changes.
    pub serial: u32,
    /// After how many seconds copies are compared with it.
    pub refresh: u32,
    /// After how many seconds they are again, when that failed.
    pub retry: u32,
    /// After how many seconds without success they are thrown away.
    pub expire: u32,
    /// For how many seconds it is remembered that a name is not there.
    pub minimum: u32,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Data {
    /// How the zone is treated.
    Soa(Soa),
    /// A server that answers for the zone.
    Ns(DnsName),
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The name of an address.
    Ptr(DnsName),
}

impl Data {
    /// The type of the record.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Soa(_) => "SOA",
            Self::Ns(_) => "NS",
            Self::A(_) => "A",
            Self::Aaaa(_) => "AAAA",
            Self::Ptr(_) => "PTR",
        }
    }
}

/// As PowerDNS' database has it.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Soa(soa) => write!(
                f,
                "{} {} {} {} {} {} {}",
                soa.server,
                soa.contact,
                soa.serial,
                soa.refresh,
                soa.retry,
                soa.expire,
                soa.minimum
            ),
            Self::Ns(name) | Self::Ptr(name) => name.fmt(f),
            Self::A(address) => address.fmt(f),
            Self::Aaaa(address) => address.fmt(f),
        }
    }
}

/// A record to be written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// What it is about.
    pub name: DnsName,
    /// What it says of that.
    pub data: Data,
    /// For how many seconds it may be remembered.
    pub ttl: u32,
}

/// A record that stands in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its number there.
    pub id: i64,
    /// What it is about.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// What it says.
    pub content: String,
    /// For how many seconds it may be remembered.
    pub ttl: i64,
    /// Whether it is served.
    pub live: bool,
}

impl StoredRecord {
    /// Whether it is that very record.
    #[must_use]
    pub fn is(&self, record: &Record) -> bool {
        self.live
            && self.kind == record.data.kind()
            && self.name == record.name.as_str()
            && self.ttl == i64::from(record.ttl)
            && self.content == record.data.to_string()
    }
}

/// A zone of ours that stands in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredZone {
    /// Its number there.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// Its records.
    pub records: Vec<StoredRecord>,
}

/// What stands in the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The zones that PVC keeps.
    pub ours: Vec<StoredZone>,
    /// The names of all others.
    pub others: BTreeSet<String>,
}

/// A change of one zone, made of what stood there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneChange {
    /// The zone's number.
    pub zone: i32,
    /// The numbers of records to be taken out. If one of them is gone, somebody else was here.
    pub removed: Vec<i64>,
    /// Records to be put in.
    pub added: Vec<Record>,
}

/// What has to be done to all zones, at once or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Zones to be removed, with what stood in them.
    pub removed: Vec<ZoneChange>,
    /// Zones to be made, and their records.
    pub added: Vec<(DnsName, Vec<Record>)>,
    /// Zones to be changed.
    pub changed: Vec<ZoneChange>,
}

impl Change {
    /// Whether there is nothing to be done.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty() && self.changed.is_empty()
    }
}

/// For people.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { removed, added, changed } = self;
        let (removed, added, changed) = (removed.len(), added.len(), changed.len());
        write!(f, "{added} zones made, {changed} changed, {removed} removed")
    }
}
