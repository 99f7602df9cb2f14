//! Between a source of changes that must not wait and a reader that may be slow.
//!
//! Holds each touched path once, and at most [`PENDING_LIMIT`] of them; beyond that it forgets
//! them all and tells the reader to read everything again.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc};

use crate::tree::Change;

/// Most paths kept for a reader: beyond that, reading everything again is hardly dearer.
const PENDING_LIMIT: usize = 16_384;
/// Changes handed over before the reader takes them: lets it take many at once.
const CHANNEL_SIZE: usize = 1_024;

/// The sending side, which never waits. Dropping it ends the reader's channel.
#[derive(Debug)]
pub(crate) struct Outbox {
    shared: Arc<Shared>,
    out: mpsc::Sender<Change>,
}

#[derive(Debug, Default)]
struct Shared {
    pending: Mutex<Pending>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    resync: bool,
    paths: BTreeSet<String>,
    finished: bool,
}

enum Next {
    Send(Change),
    Wait,
    End,
}

/// Makes an outbox and its reader's end. Needs a tokio runtime.
pub(crate) fn outbox() -> (Outbox, mpsc::Receiver<Change>) {
    let (out, reader) = mpsc::channel(CHANNEL_SIZE);
    let shared = Arc::new(Shared::default());
    tokio::spawn(forward(Arc::clone(&shared), out.clone()));
    (Outbox { shared, out }, reader)
}

async fn forward(shared: Arc<Shared>, out: mpsc::Sender<Change>) {
    loop {
        match shared.next() {
            Next::Send(change) => {
                // Fills the channel in one go, so that a reader gets many changes at once.
                let sent = match out.try_send(change) {
                    Ok(()) => Ok(()),
                    Err(TrySendError::Full(change)) => out.send(change).await.map_err(drop),
                    Err(TrySendError::Closed(_)) => Err(()),
                };
                if sent.is_err() {
                    return;
                }
            }
            Next::Wait => tokio::select! {
                () = shared.wake.notified() => {}
                () = out.closed() => return,
            },
            Next::End => return,
        }
    }
}

impl Outbox {
    /// A path changed.
    pub(crate) fn touched(&self, path: String) {
        self.shared.change(|pending| {
            // Whoever reads everything later reads this, too.
            if pending.resync {
                return;
            }
            pending.paths.insert(path);
            if pending.paths.len() > PENDING_LIMIT {
                pending.resync();
            }
        });
    }

    /// Anything may have changed.
    pub(crate) fn resync(&self) {
        self.shared.change(Pending::resync);
    }

    /// Whether the reader is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.out.is_closed()
    }

    /// Waits until the reader is gone.
    pub(crate) async fn closed(&self) {
        self.out.closed().await;
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.shared.change(|pending| pending.finished = true);
    }
}

impl Pending {
    fn resync(&mut self) {
        self.paths.clear();
        self.resync = true;
    }
}

impl Shared {
    fn change(&self, act: impl FnOnce(&mut Pending)) {
        act(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_one();
    }

    fn next(&self) -> Next {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut pending.resync) {
            Next::Send(Change::Resync)
        } else if let Some(path) = pending.paths.pop_first() {
            Next::Send(Change::Touched(path))
        } else if pending.finished {
            Next::End
        } else {
            Next::Wait
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_reader_gets_each_path_once() {
        let (outbox, mut reader) = outbox();
        for path in ["/a", "/b", "/a", "/a"] {
            outbox.touched(path.to_owned());
        }
        drop(outbox);
        assert_eq!(reader.recv().await, Some(Change::Touched("/a".to_owned())));
        assert_eq!(reader.recv().await, Some(Change::Touched("/b".to_owned())));
        assert_eq!(reader.recv().await, None);
    }

    #[tokio::test]
    async fn a_reader_that_falls_far_behind_is_told_to_read_everything_once() {
        let (outbox, mut reader) = outbox();
        for number in 0..3 * PENDING_LIMIT {
            outbox.touched(format!("/{number}"));
        }
        assert_eq!(reader.recv().await, Some(Change::Resync));
        outbox.touched("/later".to_owned());
        assert_eq!(reader.recv().await, Some(Change::Touched("/later".to_owned())));
    }
}
