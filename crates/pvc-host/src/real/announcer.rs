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
        let socket = open()?;
        let mac = hardware_address(&socket, device)?;
        let mut pace = tokio::time::interval(announcement.interval);
        for number in 0..announcement.frames {
            pace.tick().await;
            send(&socket, index, &frame(mac, announcement.address, number))?;
        }
        Ok(())
    }
}

/// Asks the kernel rather than `/sys`, which shows the devices of whoever mounted it; and for this one
/// device, for there may be thousands, and as many announcements.
#[expect(unsafe_code, reason = "the standard library knows no hardware addresses")]
fn hardware_address(socket: &OwnedFd, device: &str) -> io::Result<Mac> {
    // SAFETY: `ifreq` is plain data for which zeros are valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let last = request.ifr_name.len() - 1;
    for (to, from) in request.ifr_name[..last].iter_mut().zip(device.bytes()) {
        *to = libc::c_char::from_ne_bytes([from]);
    }
    // SAFETY: the request is live, its name ends with a zero, and the kernel writes within it.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFHWADDR, &raw mut request) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: after that request it is the hardware address that is there.
    let found = unsafe { request.ifr_ifru.ifru_hwaddr };
    let mut mac = [0; 6];
    for (to, from) in mac.iter_mut().zip(found.sa_data) {
        [*to] = from.to_ne_bytes();
    }
    if found.sa_family == libc::ARPHRD_ETHER && mac != [0; 6] {
        return Ok(Mac(mac));
    }
    let message = format!("{device} has no Ethernet address");
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
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
