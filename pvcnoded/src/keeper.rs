//! A reconciler, or several with what they share, that is started with all others, whatever it is made of.

use std::sync::Arc;

use pvc_common::view::View;
use pvc_runtime::drain::Drain;
use pvc_runtime::reconcile::{Reconciler, Registry, spawn};
use tokio::sync::watch;
use tokio::task::JoinHandle;

type Views = watch::Receiver<Option<Arc<View>>>;
type Start = dyn FnOnce(&Views, &Registry, &Drain) -> Vec<JoinHandle<()>> + Send;

/// What sees to something on this node, and was not started yet.
pub struct Keeper(Box<Start>);

impl Keeper {
    /// This reconciler.
    pub fn new<R: Reconciler<View = View>>(reconciler: R) -> Self {
        Self::of(|views, registry, drain| {
            vec![spawn(reconciler, views.clone(), registry, drain).task]
        })
    }

    /// The tasks that this starts. They end once they are drained.
    pub fn of(
        start: impl FnOnce(&Views, &Registry, &Drain) -> Vec<JoinHandle<()>> + Send + 'static,
    ) -> Self {
        Self(Box::new(start))
    }

    /// Starts it; it ends once it is drained.
    pub(crate) fn spawn(
        self,
        views: &Views,
        registry: &Registry,
        drain: &Drain,
    ) -> Vec<JoinHandle<()>> {
        (self.0)(views, registry, drain)
    }
}
