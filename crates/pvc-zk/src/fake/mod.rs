//! A tree in memory that behaves as the real one does, with switches for what can go wrong.
//!
//! The contract suite runs on both. Nothing here depends on a clock, unless a test asks for
//! slowness: then on tokio's, which a test can pause.

mod client;
mod world;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::tree::Session;
use world::World;

/// How long calls wait for a session, if not told otherwise.
const CALL_LIMIT: Duration = Duration::from_secs(5);

/// One client of a tree in memory. Clones share one session.
///
/// A new client's session is live at once; [`FakeTree::another`] makes further clients of the
/// same tree.
#[derive(Clone, Debug)]
pub struct FakeTree {
    world: Arc<Mutex<World>>,
    client: Arc<Client>,
}

#[derive(Debug)]
struct Client {
    number: u64,
    limit: Duration,
    session: watch::Sender<Session>,
    epochs: Mutex<u64>,
    faults: Mutex<Faults>,
}

#[derive(Debug, Default)]
struct Faults {
    commits: VecDeque<CommitFault>,
    delay: Duration,
}

/// What shall become of a commit, whatever it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitFault {
    /// It is carried out, but the answer is lost.
    UnknownButDone,
    /// It never reaches the server, which nobody can know.
    UnknownAndLost,
}

impl Default for FakeTree {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeTree {
    /// An empty tree, and its first client.
    #[must_use]
    pub fn new() -> Self {
        Self::join(Arc::default(), CALL_LIMIT)
    }

    /// Another client of the same tree, with a session of its own.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::join(Arc::clone(&self.world), self.client.limit)
    }

    /// Another client of the same tree, whose calls wait no longer than `limit` for a session.
    #[must_use]
    pub fn another_with_limit(&self, limit: Duration) -> Self {
        Self::join(Arc::clone(&self.world), limit)
    }

    fn join(world: Arc<Mutex<World>>, limit: Duration) -> Self {
        let number = locked(&world).next_client();
        Self {
            world,
            client: Arc::new(Client {
                number,
                limit,
                session: watch::Sender::new(Session::Live { epoch: 1 }),
                epochs: Mutex::new(1),
                faults: Mutex::default(),
            }),
        }
    }

    /// Cuts the connection: calls wait, watches are silent, the session may be over.
    ///
    /// No effect without a live session.
    pub fn suspend(&self) {
        self.client.session.send_if_modified(|session| match *session {
            Session::Live { epoch } => {
                *session = Session::Suspended { epoch };
                true
            }
            Session::Connecting | Session::Suspended { .. } => false,
        });
    }

    /// Mends the connection in time: the same session goes on, and watches report
    /// [`crate::Change::Resync`].
    ///
    /// No effect unless suspended.
    pub fn resume(&self) {
        let resumed = self.client.session.send_if_modified(|session| match *session {
            Session::Suspended { epoch } => {
                *session = Session::Live { epoch };
                true
            }
            Session::Connecting | Session::Live { .. } => false,
        });
        if resumed {
            locked(&self.world).resync(self.client.number);
        }
    }

    /// Ends the session: what is ephemeral of it vanishes, and calls wait for a new one.
    pub fn end_session(&self) {
        self.client.session.send_if_modified(|session| {
            std::mem::replace(session, Session::Connecting) != Session::Connecting
        });
        locked(&self.world).drop_ephemerals(self.client.number);
    }

    /// Begins a new session, unless there is one.
    pub fn begin_session(&self) {
        let begun = self.client.session.send_if_modified(|session| match *session {
            Session::Connecting => {
                let mut epoch = locked(&self.client.epochs);
                *epoch += 1;
                *session = Session::Live { epoch: *epoch };
                true
            }
            Session::Live { .. } | Session::Suspended { .. } => false,
        });
        if begun {
            locked(&self.world).resync(self.client.number);
        }
    }

    /// Ends the session and begins the next.
    pub fn expire(&self) {
        self.end_session();
        self.begin_session();
    }

    /// Lets a coming commit of this client go wrong; several calls are served in order.
    ///
    /// Counts commits and enlistments that reach the server.
    pub fn fail_commit(&self, fault: CommitFault) {
        locked(&self.client.faults).commits.push_back(fault);
    }

    /// Makes each later call of this client take `delay`; one that reaches the limit is not
    /// answered.
    pub fn slow(&self, delay: Duration) {
        locked(&self.client.faults).delay = delay;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
