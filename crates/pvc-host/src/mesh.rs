//! The uptime mesh's datagrams: 16 bytes that come back unchanged from a machine that lives.
//!
//! A node has two sockets in each network. Its [`Responder`] listens on the mesh's port and sends
//! back what it gets; its [`Prober`] sends from a port of its own and hears what comes back. So
//! nobody takes a probe for an answer, and a probe needs no mark that says what it is.
//!
//! Judging who is silent is not done here.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What a probe carries, and its answer: chance, so that only who got it can send it back.
pub type Token = [u8; 16];

/// Probes that are still worth an answer: a node that probes 32 others five times a second gets
/// through them in 25 s, when nobody cares any more.
const OUTSTANDING: usize = 4096;

/// Why a datagram could not be sent or received.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Somebody else has this address and port.
    #[error("{at} is in use")]
    InUse {
        /// Where it was to be listened.
        at: SocketAddr,
    },
    /// This machine does not have this address, or not yet.
    #[error("{at} is not an address of this machine")]
    NotHere {
        /// Where it was to be listened.
        at: SocketAddr,
    },
    /// It did not leave this machine. That is how losses look that are noticed.
    #[error("could not send to {to}")]
    Unsent {
        /// To whom it should have gone.
        to: SocketAddr,
        /// The kernel's reason.
        #[source]
        source: io::Error,
    },
    /// It did not leave this machine in time.
    #[error("could not send to {to} within {} ms", waited.as_millis())]
    Stuck {
        /// To whom it should have gone.
        to: SocketAddr,
        /// How long it was tried.
        waited: Duration,
    },
    /// The socket is of no more use.
    #[error("the socket at {at} failed")]
    Broken {
        /// Where it listened.
        at: SocketAddr,
        /// The kernel's reason.
        #[source]
        source: io::Error,
    },
}

/// One UDP endpoint, bound to one address and port of this machine.
pub trait Wire: Send + Sync + 'static {
    /// Where it is bound.
    fn local(&self) -> SocketAddr;

    /// Sends a datagram, and returns when it left. Whether it arrives nobody knows.
    ///
    /// # Errors
    /// [`WireError::Unsent`] or [`WireError::Stuck`]. The wire itself is as good as before.
    fn send(
        &self,
        to: SocketAddr,
        datagram: &[u8],
    ) -> impl Future<Output = Result<(), WireError>> + Send;

    /// Waits for the next datagram and says who sent it. One that is longer than a [`Token`] may
    /// arrive cut, but is still longer. May be dropped at any time; nothing is lost by that.
    ///
    /// # Errors
    /// [`WireError::Broken`]: there will be no more.
    fn recv(&self) -> impl Future<Output = Result<(SocketAddr, Vec<u8>), WireError>> + Send;
}

/// Sends back what others probe this node with.
#[derive(Clone, Copy, Debug)]
pub struct Responder;

impl Responder {
    /// Answers whom `admits` admits until the wire is of no more use, and says why.
    ///
    /// Sends one datagram for one received at most, of the same size. What is no probe gets no
    /// answer, and neither does what comes from the mesh's own port: two responders that were
    /// made to answer each other would never stop.
    pub async fn run(wire: impl Wire, admits: impl Fn(SocketAddr) -> bool + Send) -> WireError {
        let port = wire.local().port();
        loop {
            let (from, datagram) = match wire.recv().await {
                Ok(received) => received,
                Err(broken) => return broken,
            };
            if datagram.len() == size_of::<Token>() && from.port() != port && admits(from) {
                // An answer that cannot be sent is one that is lost; the next probe comes soon.
                drop(wire.send(from, &datagram).await);
            }
        }
    }
}

/// Probes other nodes and hears their answers.
#[derive(Debug)]
pub struct Prober<W> {
    wire: W,
    outstanding: Mutex<Outstanding>,
}

/// The last probes: whom with what. Those that were answered are only in `order`.
#[derive(Debug, Default)]
struct Outstanding {
    unanswered: HashSet<(SocketAddr, Token)>,
    order: VecDeque<(SocketAddr, Token)>,
}

impl<W: Wire> Prober<W> {
    /// Probes by a wire on a port of its own.
    #[must_use]
    pub fn new(wire: W) -> Self {
        Self { wire, outstanding: Mutex::default() }
    }

    /// Where it is bound.
    pub fn local(&self) -> SocketAddr {
        self.wire.local()
    }

    /// Sends a probe. `token` must be fresh chance.
    ///
    /// # Errors
    /// The probe is lost, as it may be without an error.
    pub async fn probe(&self, to: SocketAddr, token: Token) -> Result<(), WireError> {
        self.outstanding(|probes| probes.add((to, token)));
        self.wire.send(to, &token).await
    }

    /// Waits for the next answer to one of the last probes, from whom it was sent to. Each counts
    /// once; all else that arrives is ignored.
    ///
    /// May be dropped at any time; no answer is lost by that.
    ///
    /// # Errors
    /// [`WireError::Broken`]: there will be no more.
    pub async fn answers(&self) -> Result<(SocketAddr, Token), WireError> {
        loop {
            let (from, datagram) = self.wire.recv().await?;
            if let Ok(token) = Token::try_from(datagram)
                && self.outstanding(|probes| probes.unanswered.remove(&(from, token)))
            {
                return Ok((from, token));
            }
        }
    }

    fn outstanding<T>(&self, act: impl FnOnce(&mut Outstanding) -> T) -> T {
        // Every change is complete before the guard goes, so a panic elsewhere harms nothing.
        act(&mut self.outstanding.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Outstanding {
    fn add(&mut self, probe: (SocketAddr, Token)) {
        if self.order.len() == OUTSTANDING
            && let Some(oldest) = self.order.pop_front()
        {
            self.unanswered.remove(&oldest);
        }
        self.order.push_back(probe);
        self.unanswered.insert(probe);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_probes_are_remembered() {
        let mut probes = Outstanding::default();
        let to: SocketAddr = "10.0.0.2:7300".parse().unwrap();
        for number in 0..10_000_u128 {
            probes.add((to, number.to_be_bytes()));
        }
        assert_eq!((probes.order.len(), probes.unanswered.len()), (OUTSTANDING, OUTSTANDING));
        assert!(probes.unanswered.contains(&(to, 9_999_u128.to_be_bytes())));
        assert!(!probes.unanswered.contains(&(to, 1_u128.to_be_bytes())));
    }
}
