//! A reconciler that is started with all others, whatever it is made of.

use std::sync::Arc;

use pvc_common::view::View;
use pvc_runtime::drain::Drain;
use pvc_runtime::reconcile::{Reconciler, Registry, spawn};
use tokio::sync::watch;
use tokio::task::JoinHandle;

type Views = watch::Receiver<Option<Arc<View>>>;

type Start = dyn FnOnce(Views, &Registry, &Drain) -> JoinHandle<()> + Send;

/// A reconciler that was not started yet.
pub struct Keeper(Box<Start>);

impl Keeper {
    /// Of this reconciler.
    pub fn new<R: Reconciler<View = View>>(reconciler: R) -> Self {
        Self(Box::new(move |views, registry, drain| spawn(reconciler, views, registry, drain).task))
    }

    /// Starts it; it ends once it is drained.
    pub(crate) fn spawn(self, views: Views, registry: &Registry, drain: &Drain) -> JoinHandle<()> {
        (self.0)(views, registry, drain)
    }
}
