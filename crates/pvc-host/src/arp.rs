//! Telling the neighbours that an address has moved.

use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::Mac;

/// What is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The device by which the neighbours are reached.
    pub device: String,
    /// The address that is here now.
    pub address: Ipv4Addr,
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
    pub fn new(device: impl Into<String>, address: Ipv4Addr) -> Self {
        let device = device.into();
        Self { device, address, frames: 5, interval: Duration::from_millis(20) }
    }
}

/// Tells the neighbours where addresses are.
pub trait Announcer: Send + Sync + 'static {
    /// Sends gratuitous ARP and returns after the last frame.
    ///
    /// # Errors
    /// When the device does not exist, is no Ethernet device, or is switched off.
    fn announce(
        &self,
        announcement: &Announcement,
    ) -> impl Future<Output = Result<(), io::Error>> + Send;
}

/// Length of an ARP frame with its Ethernet header, without padding.
pub(crate) const FRAME: usize = 42;

/// A gratuitous ARP frame: a request and a reply by turns, since some neighbours learn by one
/// and some only by the other.
///
/// In a reply the sender is the target as well. Otherwise Linux takes it for an answer to somebody
/// else, and ignores it for a second after it has last learned of that address.
pub(crate) fn frame(mac: Mac, address: Ipv4Addr, reply: bool) -> [u8; FRAME] {
    const BROADCAST: [u8; 6] = [0xff; 6];
    let mut frame = [0; FRAME];
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
    let mut at = 0;
    for part in parts {
        frame[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_who_has_the_address() {
        let mac = Mac([2, 0, 0, 0, 0, 9]);
        let request = frame(mac, Ipv4Addr::new(10, 0, 0, 250), false);
        assert_eq!(request[..6], [0xff; 6]);
        assert_eq!(request[12..14], [8, 6]);
        assert_eq!(request[20..22], [0, 1]);
        assert_eq!(request[22..28], mac.0);
        assert_eq!(request[28..32], [10, 0, 0, 250]);
        assert_eq!(request[38..42], [10, 0, 0, 250]);
        let reply = frame(mac, Ipv4Addr::LOCALHOST, true);
        assert_eq!((&reply[20..22], &reply[32..38]), (&[0, 2][..], &mac.0[..]));
    }
}
