//! Knowing when a change that was committed has reached the own view.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pvc_common::zk::{Op, Version};
use tokio::sync::oneshot;

use super::wants;

/// The changes whose arrival somebody waits for. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Arrivals(Arc<Mutex<Vec<Expected>>>);

/// What one transaction leaves behind.
#[derive(Debug)]
struct Expected {
    /// By path: the least version to be seen, or `None` for a znode that is to vanish.
    missing: HashMap<String, Option<Version>>,
    landed: oneshot::Sender<u64>,
}

/// Resolves once a transaction shows in a view.
#[derive(Debug)]
pub(crate) struct Arrival(Option<oneshot::Receiver<u64>>);

impl Arrival {
    /// The generation of the first view that shows it; `None` if the image is gone.
    pub(crate) async fn landed(self) -> Option<u64> {
        match self.0 {
            Some(landed) => landed.await.ok(),
            None => Some(0),
        }
    }
}

impl Arrivals {
    /// To be called before `ops` are committed, so that nothing is missed.
    pub(crate) fn expect(&self, ops: &[Op]) -> Arrival {
        let (landed, arrival) = oneshot::channel();
        let missing: HashMap<_, _> =
            ops.iter().filter_map(left_behind).filter(|(path, _)| wants(path)).collect();
        if missing.is_empty() {
            // Nothing that a view shows: any view will do.
            return Arrival(None);
        }
        let mut expected = self.locked();
        // Whoever gave up waiting, or failed to commit, has dropped the other end.
        expected.retain(|expected| !expected.landed.is_closed());
        expected.push(Expected { missing, landed });
        Arrival(Some(arrival))
    }

    /// The image saw what `path` holds.
    pub(super) fn saw(&self, path: &str, version: Option<Version>) {
        for expected in self.locked().iter_mut() {
            if expected.missing.get(path).is_some_and(|least| shows(version, *least)) {
                expected.missing.remove(path);
            }
        }
    }

    /// Everything the image saw is in the view of this generation.
    pub(super) fn published(&self, generation: u64) {
        let mut expected = self.locked();
        let arrived = expected.extract_if(.., |expected| expected.missing.is_empty());
        for arrived in arrived {
            if arrived.landed.send(generation).is_err() {
                tracing::trace!("nobody waits for view {generation} any more");
            }
        }
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Expected>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether what was seen comes from the transaction or after it.
fn shows(seen: Option<Version>, least: Option<Version>) -> bool {
    match (seen, least) {
        (None, _) => true,
        (Some(seen), Some(least)) => seen >= least,
        (Some(_), None) => false,
    }
}

/// What an operation leaves behind at its path; `None` if nothing changes.
fn left_behind(op: &Op) -> Option<(String, Option<Version>)> {
    let version = match op {
        Op::Create { .. } | Op::CreateEphemeral { .. } => Some(Version(0)),
        Op::Set { version, .. } => Some(Version(version.0.wrapping_add(1))),
        Op::Delete { .. } => None,
        Op::Check { .. } => return None,
    };
    Some((op.path().to_owned(), version))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/config/maintenance";

    fn set(version: i32) -> Vec<Op> {
        vec![Op::Set { path: PATH.into(), data: vec![], version: Version(version) }]
    }

    #[tokio::test]
    async fn a_change_arrives_with_the_view_after_its_version_was_seen() {
        let arrivals = Arrivals::default();
        let mut arrival = arrivals.expect(&set(3));
        arrivals.saw(PATH, Some(Version(3)));
        arrivals.published(7);
        assert!(
            arrival.0.as_mut().unwrap().try_recv().is_err(),
            "version 3 is what was written over"
        );
        arrivals.saw(PATH, Some(Version(4)));
        arrivals.published(8);
        assert_eq!(arrival.landed().await, Some(8));
    }

    #[tokio::test]
    async fn a_later_write_or_no_znode_at_all_is_arrival_too() {
        let arrivals = Arrivals::default();
        let written = arrivals.expect(&set(3));
        let deleted = arrivals.expect(&[Op::Delete { path: PATH.into(), version: Version(3) }]);
        arrivals.saw(PATH, Some(Version(9)));
        arrivals.published(1);
        assert_eq!(written.landed().await, Some(1));
        arrivals.saw(PATH, None);
        arrivals.published(2);
        assert_eq!(deleted.landed().await, Some(2));
    }

    #[tokio::test]
    async fn who_gave_up_is_forgotten() {
        let arrivals = Arrivals::default();
        drop(arrivals.expect(&set(1)));
        drop(arrivals.expect(&set(2)));
        assert_eq!(arrivals.locked().len(), 1);
    }
}
