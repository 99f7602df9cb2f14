//! Carries the library's datagrams to a BMC, and the BMC's answers back.

use std::io;
use std::net::{SocketAddr, UdpSocket as StdUdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until};

use super::datagram::{LONGEST, LOOPBACK, Opening, PONG, Question, login_status};
use super::failure::Failure;

/// After so long without an answer the datagram or its answer is taken for lost. Some BMCs think
/// for half a second about a login, and one that is asked twice may forget what it said first.
const LOST_AFTER: Duration = Duration::from_secs(1);

/// The session's number at the BMC, heard in passing; 0 before it has one.
#[derive(Debug, Default)]
pub(super) struct Heard(AtomicU32);

impl Heard {
    pub(super) fn session(&self) -> Option<u32> {
        Some(self.0.load(Ordering::Acquire)).filter(|number| *number != 0)
    }
}

/// The way between the library and one BMC, for one session. Dropping it cuts the way and wakes
/// the library, wherever it waits.
pub(super) struct Relay {
    outside: UdpSocket,
    inside: UdpSocket,
    /// `inside` once more, to wake the library from where nothing can be awaited.
    waker: StdUdpSocket,
    address: SocketAddr,
    library: Option<SocketAddr>,
    open: Option<Open>,
    old_questions: u32,
    heard: Arc<Heard>,
}

/// A question that may be answered.
struct Open {
    question: Question,
    datagram: Vec<u8>,
    /// When to ask again; never, once there was an answer.
    lost_at: Option<Instant>,
}

impl Relay {
    /// A way to the first of a BMC's addresses that has one.
    pub(super) async fn to(addresses: &[SocketAddr]) -> io::Result<Self> {
        let waker = StdUdpSocket::bind((LOOPBACK, 0))?;
        waker.set_nonblocking(true)?;
        let inside = UdpSocket::from_std(waker.try_clone()?)?;
        Ok(Self {
            outside: connected(addresses).await?,
            address: inside.local_addr()?,
            inside,
            waker,
            library: None,
            open: None,
            old_questions: 0,
            heard: Arc::default(),
        })
    }

    /// What the library is to take for the BMC's address.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn heard(&self) -> Arc<Heard> {
        Arc::clone(&self.heard)
    }

    /// Carries until something is in the way. Cancel it, and carry on with another call of it.
    pub(super) async fn carry(&mut self) -> Failure {
        match self.try_carry().await {
            Ok(failure) => failure,
            Err(error) => Failure::unreachable(&error),
        }
    }

    async fn try_carry(&mut self) -> io::Result<Failure> {
        let (mut asked, mut answered) = ([0; LONGEST], [0; LONGEST]);
        loop {
            let lost_at = self.open.as_ref().and_then(|open| open.lost_at);
            let lost = async {
                match lost_at {
                    Some(lost_at) => sleep_until(lost_at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                received = self.inside.recv_from(&mut asked) => {
                    let (length, library) = received?;
                    self.library = Some(library);
                    if let Some(failure) = self.ask(&asked[..length]).await? {
                        return Ok(failure);
                    }
                }
                received = self.outside.recv(&mut answered) => {
                    if let Some(failure) = self.answer(&answered[..received?]).await? {
                        return Ok(failure);
                    }
                }
                () = lost => {
                    if let Some(open) = &mut self.open {
                        open.lost_at = Some(Instant::now() + LOST_AFTER);
                        self.outside.send(&open.datagram).await?;
                    }
                }
            }
        }
    }

    async fn ask(&mut self, datagram: &[u8]) -> io::Result<Option<Failure>> {
        let Some(question) = Question::of(datagram) else {
            return Ok(None);
        };
        match question {
            Question::Ping => return self.tell(&PONG).await.map(|()| None),
            Question::Old if self.old_questions > 0 => return Ok(Some(Failure::too_old())),
            Question::Old => self.old_questions += 1,
            Question::OpenSession | Question::Rakp1 | Question::Rakp3 | Question::Message => {}
        }
        let lost_at = Some(Instant::now() + LOST_AFTER);
        self.open = Some(Open { question, datagram: datagram.to_vec(), lost_at });
        self.outside.send(datagram).await.map(|_| None)
    }

    async fn answer(&mut self, datagram: &[u8]) -> io::Result<Option<Failure>> {
        let Some(question) = self.open.as_ref().map(|open| open.question) else {
            return Ok(None);
        };
        if !question.is_answered_by(datagram) {
            return Ok(None);
        }
        if let Some(status) = login_status(question, datagram) {
            return Ok(Some(Failure::of_login_status(status)));
        }
        if question == Question::OpenSession {
            match Opening::of(datagram) {
                Some(Opening::Granted(session)) => self.heard.0.store(session, Ordering::Release),
                Some(Opening::OtherSuite) => return Ok(Some(Failure::other_suite())),
                None => {}
            }
        }
        // In a session this may be a late answer to an earlier question, which only the library
        // can tell from within, so the next one is let through as well.
        self.open = self.open.take().filter(|open| open.question == Question::Message);
        if let Some(open) = &mut self.open {
            open.lost_at = None;
        }
        self.tell(datagram).await.map(|()| None)
    }

    async fn tell(&self, datagram: &[u8]) -> io::Result<()> {
        match self.library {
            Some(library) => self.inside.send_to(datagram, library).await.map(drop),
            None => Ok(()),
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let unread = || self.waker.recv_from(&mut [0; LONGEST]).ok().map(|(_, library)| library);
        if let Some(library) = self.library.or_else(unread)
            // Too short for anything, so the library gives up.
            && let Err(error) = self.waker.send_to(&[0], library)
        {
            tracing::debug!(%error, "a thread waits for a BMC until its time is over");
        }
    }
}

/// A socket that reaches only this BMC, and hears of it when nothing listens there.
async fn connected(addresses: &[SocketAddr]) -> io::Result<UdpSocket> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "no such host");
    for address in addresses {
        let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = match UdpSocket::bind(any).await {
            Ok(socket) => socket.connect(address).await.map(|()| socket),
            Err(error) => Err(error),
        };
        match socket {
            Ok(socket) => return Ok(socket),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}
