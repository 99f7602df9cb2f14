//! The mesh's datagrams by the kernel's UDP.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::mesh::Token;
use crate::{Wire, WireError};

/// The mark of traffic that keeps the network itself alive (CS6), so that switches which heed it
/// send a probe ahead of a guest's download.
const CLASS: u32 = 48 << 2;

/// Sending waits only for room in the socket's queue. Who waits longer is late anyway.
const SEND_LIMIT: Duration = Duration::from_millis(100);

/// One byte more than a token, by which longer datagrams are known.
const BUFFER: usize = size_of::<Token>() + 1;

/// A UDP socket of this machine.
///
/// It does not share its port (no `SO_REUSEADDR`): with UDP that would not make a port free sooner,
/// but let any other program take this one's datagrams.
#[derive(Debug)]
pub struct UdpWire {
    socket: UdpSocket,
    at: SocketAddr,
}

impl UdpWire {
    /// Listens on an address and port; port 0 is any free one.
    ///
    /// # Errors
    /// [`WireError::InUse`], [`WireError::NotHere`] or [`WireError::Broken`].
    pub async fn bind(at: SocketAddr) -> Result<Self, WireError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => WireError::InUse { at },
            io::ErrorKind::AddrNotAvailable => WireError::NotHere { at },
            _ => WireError::Broken { at, source },
        };
        let socket = UdpSocket::bind(at).await.map_err(failed)?;
        let marked = match at.ip() {
            IpAddr::V4(_) => socket.set_tos_v4(CLASS),
            IpAddr::V6(_) => socket.set_tclass_v6(CLASS),
        };
        // A mark is a wish; without it probes travel as everything else does.
        drop(marked);
        let at = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, at })
    }

    /// The two sockets of one network: that of the responder on the mesh's port, and that of the
    /// prober on a port of its own, which is surely another one.
    ///
    /// # Errors
    /// As [`UdpWire::bind`].
    pub async fn pair(responder: SocketAddr) -> Result<(Self, Self), WireError> {
        let first = Self::bind(responder).await?;
        let second = Self::bind(SocketAddr::new(responder.ip(), 0)).await?;
        Ok((first, second))
    }
}

impl Wire for UdpWire {
    fn local(&self) -> SocketAddr {
        self.at
    }

    async fn send(&self, to: SocketAddr, datagram: &[u8]) -> Result<(), WireError> {
        match timeout(SEND_LIMIT, self.socket.send_to(datagram, to)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(source)) => Err(WireError::Unsent { to, source }),
            Err(_) => Err(WireError::Stuck { to, waited: SEND_LIMIT }),
        }
    }

    async fn recv(&self) -> Result<(SocketAddr, Vec<u8>), WireError> {
        let mut buffer = [0; BUFFER];
        let received = self.socket.recv_from(&mut buffer).await;
        let (length, from) =
            received.map_err(|source| WireError::Broken { at: self.at, source })?;
        Ok((from, buffer[..length].to_vec()))
    }
}
