//! What the whole cluster goes by, as the primary's configuration has it: the primary tells it as
//! soon as it is primary.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::state::CoordinatorState;
use pvc_common::view::View;
use pvc_common::zk::key;
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::Tree;

use crate::own_keys::OwnKeys;

/// Tells settings while this node is primary.
pub struct Teller<T> {
    me: NodeName,
    keys: OwnKeys<T>,
    settings: Vec<(String, String)>,
}

/// What an activation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Another node is primary.
    NotPrimary,
    /// So many settings had to be written.
    Told(usize),
    /// Why they could not be written.
    Failed(String),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPrimary => f.write_str("another node is primary"),
            Self::Told(count) => write!(f, "{count} settings written"),
            Self::Failed(why) => write!(f, "settings not written: {why}"),
        }
    }
}

impl<T: Tree> Teller<T> {
    /// Tells `settings`, by path, once `me` is primary.
    pub const fn new(me: NodeName, tree: T, settings: Vec<(String, String)>) -> Self {
        Self { me, keys: OwnKeys::new(tree), settings }
    }
}

impl<T: Tree> Reconciler for Teller<T> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "settings";
    const PERIOD: Duration = Duration::from_secs(30);

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        let own = view.nodes.get(&self.me);
        if own.and_then(|node| node.coordinator_state.copied()) != Some(CoordinatorState::Primary) {
            // Another primary writes them now.
            self.keys.forget(key::CONFIG);
            return Outcome::settled(Report::NotPrimary);
        }
        Outcome::settled(match self.keys.publish(&self.settings).await {
            Ok(count) => Report::Told(count),
            Err(error) => {
                tracing::warn!(%error, "settings of the primary not told");
                Report::Failed(error.to_string())
            }
        })
    }
}
