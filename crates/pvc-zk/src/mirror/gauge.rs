//! Judges whether a view may be believed.
//!
//! ```text
//!           every root read, session unchanged since the first of them
//!   Stale ──────────────────────────────────────────────────────────────▶ Current
//!     ▲                                                                      │
//!     └──────────────── session not live, or a reading begins ──────────────┘
//! ```

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Freshness;
use crate::tree::Session;

/// The follower's end.
#[derive(Debug)]
pub(super) struct Gauge {
    out: Arc<watch::Sender<Freshness>>,
    /// "Seen" is the state in which the readings that count began.
    session: watch::Receiver<Session>,
    read: Vec<bool>,
}

/// Makes a gauge for a number of roots. Needs a tokio runtime.
pub(super) fn gauge(
    session: watch::Receiver<Session>,
    roots: usize,
) -> (Gauge, watch::Receiver<Freshness>) {
    let since = Instant::now();
    let (out, freshness) = watch::channel(Freshness::Stale { since });
    let out = Arc::new(out);
    tokio::spawn(guard(Arc::clone(&out), session.clone()));
    let gauge = Gauge { out, session, read: vec![false; roots] };
    (gauge, freshness)
}

/// Notices the end of a session even while the follower waits for an answer.
async fn guard(out: Arc<watch::Sender<Freshness>>, mut session: watch::Receiver<Session>) {
    loop {
        tokio::select! {
            changed = session.changed() => if changed.is_err() { break },
            () = out.closed() => return,
        }
        // Looked at again under the lock: the follower may have seen the next session already.
        out.send_if_modified(|freshness| session.borrow().live().is_none() && spoil(freshness));
    }
    out.send_if_modified(spoil);
}

fn spoil(freshness: &mut Freshness) -> bool {
    match freshness {
        Freshness::Current { .. } => {
            let since = Instant::now();
            *freshness = Freshness::Stale { since };
            true
        }
        Freshness::Stale { .. } => false,
    }
}

impl Gauge {
    /// A root is about to be read.
    pub(super) fn begin(&mut self, root: usize) {
        self.stale();
        // What was read before the session changed does not count any more.
        if self.session.has_changed().unwrap_or(false) {
            self.read.fill(false);
        }
        self.session.mark_unchanged();
        if let Some(read) = self.read.get_mut(root) {
            *read = false;
        }
    }

    /// A root was read.
    pub(super) fn done(&mut self, root: usize) {
        if let Some(read) = self.read.get_mut(root) {
            *read = true;
        }
    }

    /// Whether every root was read since the session last changed.
    pub(super) fn all_read(&self) -> bool {
        self.read.iter().all(|read| *read)
    }

    /// Changes may be missing in the view.
    pub(super) fn stale(&self) {
        self.out.send_if_modified(spoil);
    }

    /// All changes known of are in the view.
    pub(super) fn settled(&self) {
        if !self.all_read() {
            return;
        }
        self.out.send_if_modified(|freshness| {
            let unchanged = !self.session.has_changed().unwrap_or(true);
            match self.session.borrow().live() {
                Some(epoch) if unchanged => {
                    let current = Freshness::Current { epoch };
                    std::mem::replace(freshness, current) != current
                }
                Some(_) | None => false,
            }
        });
    }
}
