//! What may act only while this node is primary: opened and closed by the outfit, heeded by the
//! reconciler that follows the networks meanwhile.
//!
//! Invariant: once [`Gate::close`] has returned, nothing that was begun behind it goes on.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard, watch};

/// Lets work through while it is open. Clones are the same gate; a new one is closed.
#[derive(Clone, Debug)]
pub struct Gate {
    open: watch::Sender<bool>,
    acting: Arc<Mutex<()>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { open: watch::Sender::new(false), acting: Arc::default() }
    }
}

impl Gate {
    /// Whether work may be begun.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    /// From now on work may be begun.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// From now on none may be; what was begun is given up. While the guard lives, nothing is.
    pub async fn close(&self) -> MutexGuard<'_, ()> {
        self.open.send_replace(false);
        self.acting.lock().await
    }

    /// Does work, one at a time; `None` if the gate was closed before it was done.
    ///
    /// Given up anywhere, the work must be harmless.
    pub async fn pass<R>(&self, work: impl Future<Output = R>) -> Option<R> {
        let _acting = self.acting.lock().await;
        let mut open = self.open.subscribe();
        if !self.is_open() {
            return None;
        }
        tokio::select! {
            biased;
            _ = open.wait_for(|open| !open) => None,
            done = work => Some(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn work_is_done_while_it_is_open_and_given_up_when_it_closes() {
        let gate = Gate::default();
        assert_eq!(gate.pass(async { 7 }).await, None);
        gate.open();
        assert_eq!(gate.pass(async { 7 }).await, Some(7));
        let other = gate.clone();
        let stuck = tokio::spawn(async move { other.pass(pending::<()>()).await });
        tokio::task::yield_now().await;
        drop(gate.close().await);
        assert_eq!(stuck.await.unwrap(), None);
        assert!(!gate.is_open());
    }
}
