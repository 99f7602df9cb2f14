//! The VMs that this process is sending away, and whether that is still wanted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pvc_common::id::VmUuid;
use tokio::sync::{Semaphore, watch};

/// The VMs being sent away, or waiting for their turn.
#[derive(Clone, Debug)]
pub(super) struct Departures {
    given_up: Arc<Mutex<HashMap<VmUuid, watch::Sender<bool>>>>,
    pub(super) turns: Arc<Semaphore>,
}

impl Departures {
    pub(super) fn new(at_a_time: usize) -> Self {
        Self { given_up: Arc::default(), turns: Arc::new(Semaphore::new(at_a_time)) }
    }

    /// Enters a VM; `None` if it is there already.
    pub(super) fn enter(&self, uuid: VmUuid) -> Option<Departure> {
        let mut entered = self.entered();
        if entered.contains_key(&uuid) {
            return None;
        }
        let (sender, given_up) = watch::channel(false);
        entered.insert(uuid, sender);
        Some(Departure { all: self.clone(), uuid, given_up })
    }

    /// Says that a VM's departure is not wanted any more.
    pub(super) fn give_up(&self, uuid: VmUuid) {
        if let Some(sender) = self.entered().get(&uuid) {
            sender.send_replace(true);
        }
    }

    fn entered(&self) -> MutexGuard<'_, HashMap<VmUuid, watch::Sender<bool>>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One VM's departure, from the wish to the end.
#[derive(Debug)]
pub(super) struct Departure {
    all: Departures,
    uuid: VmUuid,
    given_up: watch::Receiver<bool>,
}

impl Departure {
    /// Waits until it is given up, for ever if it is not.
    pub(super) async fn given_up(&self) {
        let mut given_up = self.given_up.clone();
        // The sender is there as long as this entry is.
        if given_up.wait_for(|given_up| *given_up).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    pub(super) fn is_given_up(&self) -> bool {
        *self.given_up.borrow()
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        self.all.entered().remove(&self.uuid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_vm_departs_once_at_a_time_and_can_be_held_back() {
        let departures = Departures::new(1);
        let uuid = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10".parse().unwrap();
        departures.give_up(uuid);
        let departure = departures.enter(uuid).unwrap();
        assert!(departures.enter(uuid).is_none());
        assert!(!departure.is_given_up(), "what was said before it began is not meant for it");
        departures.give_up(uuid);
        departure.given_up().await;
        drop(departure);
        assert!(departures.enter(uuid).is_some());
    }
}
