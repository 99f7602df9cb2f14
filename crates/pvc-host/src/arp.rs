//! Telling the neighbours that an address has moved: by ARP, or for IPv6 by an advertisement.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::Mac;

/// What is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The device by which the neighbours are reached.
    pub device: String,
    /// The address that is here now.
    pub address: IpAddr,
    /// How often it is told: a frame may be lost.
    pub frames: u32,
    /// Time between two frames.
    pub interval: Duration,
}

impl Announcement {
    /// Tells it in a burst: a lost frame costs 20 ms, less than a ping or a request notices.
    ///
    /// Five frames, since neighbours that lose one of twenty then miss all once in three million
    /// times; all of them within 80 ms, since whoever waits for the last one holds a switch up.
    #[must_use]
    pub fn new(device: impl Into<String>, address: impl Into<IpAddr>) -> Self {
        let (device, address) = (device.into(), address.into());
        Self { device, address, frames: 5, interval: Duration::from_millis(20) }
    }
}

/// Tells the neighbours where addresses are.
pub trait Announcer: Send + Sync + 'static {
    /// Sends gratuitous ARP, or unsolicited neighbour advertisements of a router, and returns after
    /// the last frame.
    ///
    /// # Errors
    /// When the device does not exist, is no Ethernet device, or is switched off.
    fn announce(
        &self,
        announcement: &Announcement,
    ) -> impl Future<Output = Result<(), io::Error>> + Send;
}

/// The frame that tells of an address: the `number`th of its burst.
pub(crate) fn frame(mac: Mac, address: IpAddr, number: u32) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => arp(mac, address, number % 2 == 1),
        IpAddr::V6(address) => advertisement(mac, address),
    }
}

/// To all nodes on the wire, by IPv6.
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// An unsolicited neighbour advertisement of a router, which overrides what neighbours knew.
fn advertisement(mac: Mac, address: Ipv6Addr) -> Vec<u8> {
    let mut message = vec![136, 0, 0, 0]; // Its type; the checksum follows when all is there.
    message.extend([0xa0, 0, 0, 0]); // Of a router, unsolicited, to override.
    message.extend(address.octets());
    message.extend([2, 1]); // The sender's hardware address, in units of 8 bytes.
    message.extend(mac.0);
    let length = u8::try_from(message.len()).expect("32 fits into 8 bits");
    let pseudo: [&[u8]; 4] =
        [&address.octets(), &ALL_NODES.octets(), &[0, 0, 0, length], &[0, 0, 0, ICMP6]];
    let sum = checksum(&[&pseudo.concat()[..], &message].concat());
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let parts: [&[u8]; 7] = [
        &[0x33, 0x33, 0, 0, 0, 1],
        &mac.0,
        &[0x86, 0xdd],
        // Neighbours heed only what came with the greatest number of hops: from their own wire.
        &[0x60, 0, 0, 0, 0, length, ICMP6, 255],
        &address.octets(),
        &ALL_NODES.octets(),
        &message,
    ];
    parts.concat()
}

/// The number of ICMP for IPv6.
const ICMP6: u8 = 58;

/// The Internet's checksum of an even number of bytes.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).expect("folded twice it fits")
}

/// A gratuitous ARP frame: a request and a reply by turns, since some neighbours learn by one
/// and some only by the other.
///
/// In a reply the sender is the target as well. Otherwise Linux takes it for an answer to somebody
/// else, and ignores it for a second after it has last learned of that address.
fn arp(mac: Mac, address: Ipv4Addr, reply: bool) -> Vec<u8> {
    const BROADCAST: [u8; 6] = [0xff; 6];
    let target = if reply { mac.0 } else { [0; 6] };
    let parts: [&[u8]; 9] = [
        &BROADCAST,
        &mac.0,
        &[0x08, 0x06],             // EtherType ARP
        &[0, 1, 0x08, 0x00, 6, 4], // Ethernet and IPv4
        &[0, if reply { 2 } else { 1 }],
        &mac.0,
        &address.octets(),
        &target,
        &address.octets(),
    ];
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_who_has_the_address() {
        let mac = Mac([2, 0, 0, 0, 0, 9]);
        let request = frame(mac, Ipv4Addr::new(10, 0, 0, 250).into(), 0);
        assert_eq!(request.len(), 42);
        assert_eq!(request[..6], [0xff; 6]);
        assert_eq!(request[12..14], [8, 6]);
        assert_eq!(request[20..22], [0, 1]);
        assert_eq!(request[22..28], mac.0);
        assert_eq!(request[28..32], [10, 0, 0, 250]);
        assert_eq!(request[38..42], [10, 0, 0, 250]);
        let reply = frame(mac, Ipv4Addr::LOCALHOST.into(), 1);
        assert_eq!((&reply[20..22], &reply[32..38]), (&[0, 2][..], &mac.0[..]));
    }

    #[test]
    fn an_advertisement_says_who_has_the_address() {
        let (mac, address) = (Mac([2, 0, 0, 0, 0, 9]), "fe80::1".parse::<Ipv6Addr>().unwrap());
        let frame = frame(mac, address.into(), 0);
        assert_eq!(
            (&frame[..6], &frame[12..14]),
            (&[0x33, 0x33, 0, 0, 0, 1][..], &[0x86, 0xdd][..])
        );
        let (header, message) = frame[14..].split_at(40);
        assert_eq!((header[7], &header[8..24]), (255, &address.octets()[..]));
        assert_eq!((message[0], &message[8..24]), (136, &address.octets()[..]));
        assert_eq!(message[24..], [2, 1, 2, 0, 0, 0, 0, 9]);
        // With a right checksum in it, everything sums up to nothing.
        let length = u8::try_from(message.len()).unwrap();
        let pseudo = [&header[8..40], &[0, 0, 0, length, 0, 0, 0, 58]].concat();
        assert_eq!(checksum(&[&pseudo, message].concat()), 0);
    }
}
