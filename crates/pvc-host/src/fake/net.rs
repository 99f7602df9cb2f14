//! A network in memory, on tokio's clock, that can be made to lose, delay and cut.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::{Wire, WireError};

/// Datagrams that wait to be received at one wire; what is more is lost, as in a kernel.
const INBOX: usize = 256;

/// Ports given to those who want any.
const ANY_PORT: u16 = 40_000;

/// What becomes of the datagrams from one address to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetPath {
    /// None arrives.
    pub cut: bool,
    /// How many of a hundred are lost.
    pub loss_percent: u8,
    /// How long they take.
    pub delay: Duration,
}

/// A network in memory. Clones are the same network.
///
/// Every address is connected with every other, without loss or delay, unless told otherwise.
/// What is sent while a path is cut is lost; what was under way before arrives.
#[derive(Clone, Debug)]
pub struct FakeNet(Arc<Mutex<Net>>);

#[derive(Debug)]
struct Net {
    wires: BTreeMap<SocketAddr, Inbox>,
    paths: BTreeMap<(IpAddr, IpAddr), NetPath>,
    cut_off: BTreeSet<IpAddr>,
    next_port: u16,
    sent: u64,
    chance: u64,
}

/// By the time of arrival, and among equals by the order of sending.
#[derive(Debug, Default)]
struct Inbox {
    waiting: BTreeMap<(Instant, u64), (SocketAddr, Vec<u8>)>,
    arrived: Arc<Notify>,
}

impl FakeNet {
    /// A network; the same seed loses the same datagrams.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Net {
            wires: BTreeMap::new(),
            paths: BTreeMap::new(),
            cut_off: BTreeSet::new(),
            next_port: ANY_PORT,
            sent: 0,
            chance: seed,
        })))
    }

    /// Listens on an address and port; port 0 is any free one.
    ///
    /// # Errors
    /// [`WireError::InUse`].
    pub fn bind(&self, mut at: SocketAddr) -> Result<FakeWire, WireError> {
        let mut net = self.net();
        if at.port() == 0 {
            at.set_port(net.next_port);
            net.next_port = net.next_port.checked_add(1).unwrap_or(ANY_PORT);
        }
        if net.wires.contains_key(&at) {
            return Err(WireError::InUse { at });
        }
        let inbox = Inbox::default();
        let arrived = inbox.arrived.clone();
        net.wires.insert(at, inbox);
        Ok(FakeWire { net: self.clone(), at, arrived })
    }

    /// Changes what becomes of datagrams in one direction.
    pub fn set_path(&self, from: IpAddr, to: IpAddr, path: NetPath) {
        self.net().paths.insert((from, to), path);
    }

    /// Cuts one direction.
    pub fn cut(&self, from: IpAddr, to: IpAddr) {
        self.net().paths.entry((from, to)).or_default().cut = true;
    }

    /// Undoes [`FakeNet::cut`].
    pub fn heal(&self, from: IpAddr, to: IpAddr) {
        self.net().paths.entry((from, to)).or_default().cut = false;
    }

    /// Pulls an address's plug: it neither sends nor receives, but for itself.
    pub fn cut_off(&self, address: IpAddr) {
        self.net().cut_off.insert(address);
    }

    /// Undoes [`FakeNet::cut_off`].
    pub fn rejoin(&self, address: IpAddr) {
        self.net().cut_off.remove(&address);
    }

    /// How many datagrams were sent, lost ones included.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.net().sent
    }

    fn net(&self) -> MutexGuard<'_, Net> {
        // Every change is complete before the guard goes, so a panic elsewhere harms nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Net {
    fn send(&mut self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        self.sent += 1;
        let ends = (from.ip(), to.ip());
        let path = self.paths.get(&ends).copied().unwrap_or_default();
        let plugged = ends.0 == ends.1 || ![ends.0, ends.1].iter().any(|end| self.is_cut_off(*end));
        let lost = self.throw() < u64::from(path.loss_percent);
        if path.cut || lost || !plugged {
            return;
        }
        let Some(inbox) = self.wires.get_mut(&to) else {
            return;
        };
        if inbox.waiting.len() < INBOX {
            let key = (Instant::now() + path.delay, self.sent);
            inbox.waiting.insert(key, (from, datagram.to_vec()));
            inbox.arrived.notify_one();
        }
    }

    fn is_cut_off(&self, address: IpAddr) -> bool {
        self.cut_off.contains(&address)
    }

    /// A number from 0 to 99 by chance (splitmix64), once for each datagram, so that a lossy path
    /// does not change the fate of datagrams elsewhere.
    fn throw(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.chance ^ (self.chance >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % 100
    }
}

/// An endpoint in a [`FakeNet`]; dropping it frees its port.
#[derive(Debug)]
pub struct FakeWire {
    net: FakeNet,
    at: SocketAddr,
    arrived: Arc<Notify>,
}

impl FakeWire {
    /// Takes what has arrived first, or says when the next one does.
    fn take(&self) -> Result<(SocketAddr, Vec<u8>), Option<Instant>> {
        let mut net = self.net.net();
        let first = net.wires.get_mut(&self.at).and_then(|inbox| inbox.waiting.first_entry());
        match first {
            Some(first) if first.key().0 <= Instant::now() => Ok(first.remove()),
            later => Err(later.map(|entry| entry.key().0)),
        }
    }
}

impl Wire for FakeWire {
    fn local(&self) -> SocketAddr {
        self.at
    }

    async fn send(&self, to: SocketAddr, datagram: &[u8]) -> Result<(), WireError> {
        self.net.net().send(self.at, to, datagram);
        Ok(())
    }

    async fn recv(&self) -> Result<(SocketAddr, Vec<u8>), WireError> {
        loop {
            match self.take() {
                Ok(received) => return Ok(received),
                // Something sent later may arrive earlier: by a faster path.
                Err(Some(due)) => drop(tokio::time::timeout_at(due, self.arrived.notified()).await),
                Err(None) => self.arrived.notified().await,
            }
        }
    }
}

impl Drop for FakeWire {
    fn drop(&mut self) {
        self.net.net().wires.remove(&self.at);
    }
}
