//! The one way a daemon is asked to end: every task holds a [`Drain`] and stops when it is drained.

use tokio::sync::watch;

/// Asks every holder of the matching [`Drain`] to stop, when told to or when dropped.
#[derive(Debug)]
pub struct DrainTrigger(watch::Sender<bool>);

/// Tells a task when to stop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Drain(watch::Receiver<bool>);

/// A connected pair.
#[must_use]
pub fn drain() -> (DrainTrigger, Drain) {
    let (sender, receiver) = watch::channel(false);
    (DrainTrigger(sender), Drain(receiver))
}

impl DrainTrigger {
    /// Asks everybody to stop. Asking again changes nothing.
    pub fn drain(&self) {
        self.0.send_replace(true);
    }
}

impl Drain {
    /// Returns once it is time to stop; at once if it already is.
    pub async fn drained(&self) {
        // The trigger being gone means that nobody is left to work for.
        let asked = self.0.clone().wait_for(|asked| *asked).await.is_ok();
        tracing::trace!(asked, "drained");
    }

    /// Whether it is time to stop.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn draining_reaches_every_clone_and_stays() {
        let (trigger, first) = drain();
        let second = first.clone();
        assert!(!first.is_drained());
        trigger.drain();
        first.drained().await;
        second.drained().await;
        assert!(second.is_drained());
    }

    #[tokio::test]
    async fn a_lost_trigger_drains() {
        let (trigger, drain) = drain();
        drop(trigger);
        drain.drained().await;
        assert!(drain.is_drained());
    }
}
