//! Keeps a typed view in step with the tree.
//!
//! ```text
//!  Tree ──changes──▶ follower ──set──▶ Image ──snapshot──▶ Arc<View> ──▶ readers
//!                        └── Freshness: may the view be believed? ─────▶ readers
//! ```
//! Invariants: a view is published only when everything wanted was read at least once, and
//! never half of a reading; it is [`Freshness::Current`] only while the session it was read in
//! is alive and no change can have been missed.

mod follow;
mod gauge;
mod todo;

use std::sync::Arc;

use pvc_common::zk::Version;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::tree::Tree;

/// What the tree holds, in the form its reader needs.
pub trait Image: Send + Sync + 'static {
    /// The immutable form that readers share.
    type View: Send + Sync + 'static;

    /// Whether the data of `path` matters. What is below an unwanted path is unwanted.
    fn wants(&self, path: &str) -> bool;

    /// Forgets everything at and below `root`, one of the mirrored roots: it is about to be read
    /// anew.
    fn clear(&mut self, root: &str);

    /// Takes note of what `path` holds now; `None` if there is no such znode any more.
    fn set(&mut self, path: &str, data: Option<(&[u8], Version)>);

    /// The present state. Called once per batch of changes; should cost what changed.
    fn snapshot(&mut self) -> Arc<Self::View>;
}

/// Whether a view may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Everything was read within this session, which lives, and no change was missed.
    Current {
        /// Number of the session.
        epoch: u64,
    },
    /// The view may be behind, or is still absent.
    Stale {
        /// Since when, by this machine's monotonic clock.
        since: Instant,
    },
}

impl Freshness {
    /// The session within which the view is current.
    #[must_use]
    pub const fn epoch(self) -> Option<u64> {
        match self {
            Self::Current { epoch } => Some(epoch),
            Self::Stale { .. } => None,
        }
    }
}

/// A view that follows the tree. Clones share it; dropping the last one ends the following.
#[derive(Debug)]
pub struct Mirror<V> {
    view: watch::Receiver<Option<Arc<V>>>,
    freshness: watch::Receiver<Freshness>,
}

impl<V> Clone for Mirror<V> {
    fn clone(&self) -> Self {
        Self { view: self.view.clone(), freshness: self.freshness.clone() }
    }
}

impl<V: Send + Sync + 'static> Mirror<V> {
    /// Reads what `image` wants at and below `roots`, and follows its changes.
    ///
    /// Lock contenders are never shown to the image.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn follow<T: Tree>(tree: &T, roots: &[&str], image: impl Image<View = V>) -> Self {
        let (publish, view) = watch::channel(None);
        let (gauge, freshness) = gauge::gauge(tree.session(), roots.len());
        tokio::spawn(follow::follow(tree.clone(), roots, image, publish, gauge));
        Self { view, freshness }
    }

    /// The view as it changes; `None` until it is complete. While there is no session, the last
    /// view stays.
    #[must_use]
    pub fn view(&self) -> watch::Receiver<Option<Arc<V>>> {
        self.view.clone()
    }

    /// The latest view; `None` until it is complete.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<V>> {
        self.view.borrow().clone()
    }

    /// Waits for the first complete view; `None` if the tree was closed before.
    pub async fn complete(&self) -> Option<Arc<V>> {
        let mut view = self.view.clone();
        let complete = view.wait_for(Option::is_some).await;
        complete.ok().and_then(|view| view.clone())
    }

    /// Whether the latest view may be believed, as it changes.
    #[must_use]
    pub fn freshness(&self) -> watch::Receiver<Freshness> {
        self.freshness.clone()
    }
}
