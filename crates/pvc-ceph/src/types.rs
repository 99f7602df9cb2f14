//! What Ceph's answers are about.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;

/// The number of a map of the OSDs. What was committed by one holds in all later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);

/// One program that uses the storage, `<address>:<port>/<nonce>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientAddress {
    /// Where it talks from. Clients do not listen, so their port is 0.
    pub socket: SocketAddr,
    /// Its number, by which it is told from others at this address.
    pub nonce: u32,
}

impl FromStr for ClientAddress {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        // The version of the protocol stands before the address, if it does.
        let known = ["v1:", "v2:", "any:"].iter().find_map(|version| text.strip_prefix(version));
        let (socket, nonce) = known.unwrap_or(text).rsplit_once('/').ok_or(())?;
        Ok(Self { socket: socket.parse().map_err(drop)?, nonce: nonce.parse().map_err(drop)? })
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.socket, self.nonce)
    }
}

/// Who is shut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocked {
    /// All clients at an address.
    Address(IpAddr),
    /// One client.
    Client(ClientAddress),
    /// All clients of a network.
    Network(IpNet),
}

impl Blocked {
    /// Whether this client is shut out by that.
    #[must_use]
    pub fn covers(&self, client: ClientAddress) -> bool {
        match self {
            Self::Address(address) => *address == client.socket.ip(),
            Self::Client(blocked) => *blocked == client,
            Self::Network(network) => network.contains(&client.socket.ip()),
        }
    }
}

/// Someone is shut out, for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlocklistEntry {
    /// Who.
    pub who: Blocked,
    /// Until when, in seconds since 1970 on the clock of Ceph's monitors. It may be compared with
    /// other times of theirs, never with this machine's.
    pub until_s: i64,
}

/// A lock on an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Its name, such as `auto 140124180450752`.
    pub id: String,
    /// The client that holds it, such as `client.4385`.
    pub locker: String,
    /// Where that client talks from.
    pub address: ClientAddress,
}

impl Lock {
    /// Whether a person or a script set it. Those that Ceph's clients take for themselves while they write
    /// are called `auto` and a number.
    #[must_use]
    pub fn is_by_hand(&self) -> bool {
        !self.id.starts_with("auto ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_reads_back_as_written() {
        for text in ["127.0.0.1:0/2855931227", "[2001:db8::1]:0/7"] {
            assert_eq!(text.parse::<ClientAddress>().unwrap().to_string(), text);
        }
        let marked: ClientAddress = "v1:10.0.0.1:0/7".parse().unwrap();
        assert_eq!(marked.to_string(), "10.0.0.1:0/7");
        for bad in ["", "10.0.0.1", "10.0.0.1:0", "10.0.0.1:0/x", "10.0.0.1/7"] {
            assert!(bad.parse::<ClientAddress>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_address_covers_all_its_clients_and_no_others() {
        let [one, two, other] = ["10.0.0.1:0/1", "10.0.0.1:0/2", "10.0.0.11:0/1"]
            .map(|text| text.parse::<ClientAddress>().unwrap());
        let address = Blocked::Address(one.socket.ip());
        assert_eq!([one, two, other].map(|client| address.covers(client)), [true, true, false]);
        let client = Blocked::Client(one);
        assert_eq!([one, two, other].map(|one| client.covers(one)), [true, false, false]);
        let network = Blocked::Network("10.0.0.0/24".parse().unwrap());
        assert_eq!([one, two, other].map(|client| network.covers(client)), [true; 3]);
    }
}
