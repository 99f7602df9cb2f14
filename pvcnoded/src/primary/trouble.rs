//! What is amiss with what a primary has, as its node's health tells it: one check for all of it.
//!
//! Whoever sees to a part of that tells what is amiss with it, and waits for nothing: a primary that is cut
//! off from the tree has addresses to lay down.

use std::collections::BTreeMap;
use std::time::Duration;

use pvc_runtime::drain::Drain;
use pvc_zk::Tree;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::health::{Check, Health, Trouble};

/// The name of this check among a node's health checks.
const CHECK: &str = "primary";
/// Percent by which a node lowers its health that lacks what the whole cluster has by its primary.
const DELTA: u32 = 25;
/// What it says where nothing is amiss, also of a node that is not primary.
const FINE: &str = "what is here of the primary's addresses and services is in order";

/// For how long something has to be amiss before people are told. That of a new primary's parts some take a
/// while to be had, such as the database's lead, is no trouble.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What is amiss, by who sees to it. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Troubles(watch::Sender<BTreeMap<&'static str, Trouble>>);

impl Troubles {
    /// From now on this, in whole sentences, is all that is amiss as far as `who` can tell.
    pub fn tell(&self, who: &'static str, trouble: &Trouble) {
        self.0.send_if_modified(|all| {
            let other = all.get(who).map_or(!trouble.is_empty(), |told| told != trouble);
            if other {
                all.insert(who, trouble.clone());
            }
            other
        });
    }

    /// All of it.
    pub(crate) fn all(&self) -> Trouble {
        self.0.borrow().values().flatten().cloned().collect()
    }

    /// Has the node's health tell of all of it, until drained.
    pub async fn publish<T: Tree>(self, health: Health<T>, drain: Drain) {
        let (mut check, mut since) = (Check::new(health, CHECK, DELTA, FINE), None);
        let mut told = self.0.subscribe();
        let rounds = async {
            loop {
                told.mark_unchanged();
                let (trouble, now) = (self.all(), Instant::now());
                since = if trouble.is_empty() { None } else { since.or(Some(now)) };
                let due = since.map(|since: Instant| since + PATIENCE).filter(|due| *due > now);
                let again = match due {
                    Some(due) => due,
                    None => check.tell(&trouble).await,
                };
                tokio::select! {
                    // Never closed: one sender is here.
                    _ = told.changed() => {}
                    () = sleep_until(again) => {}
                }
            }
        };
        tokio::select! {
            biased;
            () = drain.drained() => {}
            () = rounds => {}
        }
    }
}
