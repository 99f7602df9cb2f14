//! Gratuitous ARP and neighbour advertisements by way of a packet socket.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::arp::frame;
use crate::{Announcement, Announcer, Mac};

/// Sends frames itself; needs the right to open packet sockets.
#[derive(Clone, Copy, Debug, Default)]
pub struct PacketAnnouncer;

impl Announcer for PacketAnnouncer {
    async fn announce(&self, announcement: &Announcement) -> Result<(), io::Error> {
        let device = &announcement.device;
        let index = nix::net::if_::if_nametoindex(device.as_str())?;
        let mac = hardware_address(device)?;
        let socket = open()?;
        let mut pace = tokio::time::interval(announcement.interval);
        for number in 0..announcement.frames {
            pace.tick().await;
            send(&socket, index, &frame(mac, announcement.address, number))?;
        }
        Ok(())
    }
}

/// Asks the kernel rather than `/sys`, which shows the devices of whoever mounted it.
fn hardware_address(device: &str) -> io::Result<Mac> {
    let addresses = nix::ifaddrs::getifaddrs()?;
    let macs = addresses.filter(|found| found.interface_name == device);
    macs.filter_map(|found| found.address?.as_link_addr()?.addr())
        .find(|mac| *mac != [0; 6])
        .map(Mac)
        .ok_or_else(|| {
            let message = format!("{device} has no Ethernet address");
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })
}

#[expect(unsafe_code, reason = "the standard library has no packet sockets")]
fn open() -> io::Result<OwnedFd> {
    // Protocol 0: the socket only sends, so that no frame of others is queued in it.
    // SAFETY: a call with plain numbers; the descriptor it returns belongs to nobody else.
    unsafe {
        let fd = libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
    }
}

#[expect(unsafe_code, reason = "the standard library has no packet sockets")]
fn send(socket: &OwnedFd, index: u32, frame: &[u8]) -> io::Result<()> {
    // SAFETY: `sockaddr_ll` is plain data for which zeros are valid.
    let mut to: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    to.sll_family = u16::try_from(libc::AF_PACKET).expect("17 fits into 16 bits");
    to.sll_ifindex = i32::try_from(index).map_err(io::Error::other)?;
    to.sll_halen = 6;
    to.sll_addr[..6].fill(0xff);
    let length = u32::try_from(size_of_val(&to)).expect("20 fits into 32 bits");
    // SAFETY: both pointers are to live values of the lengths given.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            frame.as_ptr().cast(),
            frame.len(),
            libc::MSG_DONTWAIT,
            (&raw const to).cast(),
            length,
        )
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
