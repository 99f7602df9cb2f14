//! What every handler is given: the view, the tree, and who may ask.

use std::sync::Arc;
use std::time::Duration;

use pvc_common::zk::{Expected, Seen, key};
use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard, watch};

use crate::api::ApiError;
use crate::auth::Gate;
use crate::config::Authentication;
use crate::exporter::{Exporters, Ports};
use crate::fetch;
use crate::image::{Arrivals, View};
use crate::rules::Rules;
use crate::storage::Storage;
use crate::store::Store;

/// How patient requests are.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until a change that was made shows in the own view.
    pub arrival: Duration,
    /// Until what a request waits for has happened.
    pub wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // The view follows within milliseconds; later, the change is made all the same.
            arrival: Duration::from_secs(2),
            // Longer than a guest may take to shut down (3 min) several times over.
            wait: Duration::from_mins(15),
        }
    }
}

/// What requests need of the outside besides the tree.
#[derive(Clone)]
pub struct Outside {
    /// The storage cluster.
    pub storage: Storage,
    /// Tells what is a rule of the firewall.
    pub rules: Rules,
}

/// What every handler is given. Cloning shares it.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    store: Store,
    outside: Outside,
    view: watch::Receiver<Option<Arc<View>>>,
    arrivals: Arrivals,
    gate: Option<Gate>,
    limits: Limits,
    exporters: Exporters,
    naming: Mutex<()>,
    placing: Mutex<()>,
    measuring: Arc<Mutex<()>>,
}

impl App {
    /// Serves from `view`, which follows `store` and reports to `arrivals`; other metrics are had
    /// at `ports`.
    #[must_use]
    pub fn new(
        store: Store,
        outside: Outside,
        view: watch::Receiver<Option<Arc<View>>>,
        arrivals: Arrivals,
        authentication: Option<&Authentication>,
        limits: Limits,
        ports: Ports,
    ) -> Self {
        let gate = authentication.map(Gate::new);
        Self(Arc::new(Inner {
            store,
            outside,
            view,
            arrivals,
            gate,
            limits,
            exporters: Exporters::new(ports),
            naming: Mutex::default(),
            placing: Mutex::default(),
            measuring: Arc::default(),
        }))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.0.outside.storage
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.0.outside.rules
    }

    pub(crate) fn exporters(&self) -> &Exporters {
        &self.0.exporters
    }

    pub(crate) fn gate(&self) -> Option<&Gate> {
        self.0.gate.as_ref()
    }

    pub(crate) fn arrivals(&self) -> &Arrivals {
        &self.0.arrivals
    }

    pub(crate) fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Held by whoever gives a VM a name, or a network a name or addresses, from looking whether they
    /// are free until the view shows them taken: the tree has no key per name that could be created
    /// only once. What networks have is guarded in the transaction, too, against other processes.
    pub(crate) async fn naming(&self) -> MutexGuard<'_, ()> {
        self.0.naming.lock().await
    }

    /// Held by whoever sends a VM to another node, from choosing that until the view shows it: each of
    /// many requests at once counts those before it, and none has to decide anew so often that it fails.
    /// Other processes are guarded against in the transaction.
    pub(crate) async fn placing(&self) -> MutexGuard<'_, ()> {
        self.0.placing.lock().await
    }

    /// Held while a page of metrics is rendered, which is much work that anybody may ask for:
    /// however many ask, it takes one processor.
    pub(crate) async fn measuring(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.0.measuring).lock_owned().await
    }

    /// The cluster as it is now.
    pub(crate) fn view(&self) -> Result<Arc<View>, ApiError> {
        self.0.view.borrow().clone().ok_or_else(|| {
            ApiError::unavailable("The cluster is still being read.", "no view was published yet")
        })
    }

    /// The cluster as it is now, with all that was decided about networks among each other until now,
    /// by whatever process.
    pub(crate) async fn networks(&self) -> Result<Arc<View>, ApiError> {
        let version = |seen: &Seen<()>| match seen.expected() {
            Expected::Absent => None,
            Expected::Version(version) => Some(version),
        };
        let last = version(&fetch::one(self.store(), &key::networks()).await?);
        let shown =
            self.until(self.0.limits.arrival, |view| version(view.among_networks().guard) >= last);
        shown.await.ok_or_else(|| {
            ApiError::unavailable(
                "The cluster is still being read.",
                "the view does not show the last change of networks",
            )
        })
    }

    /// Waits for the first view; a request that comes before it is answered a little later.
    pub(crate) async fn ready(&self) {
        self.until(self.0.limits.arrival, |_| true).await;
    }

    /// The first view that `wanted` holds for; `None` if none does within `limit`.
    pub(crate) async fn until(
        &self,
        limit: Duration,
        mut wanted: impl FnMut(&View) -> bool,
    ) -> Option<Arc<View>> {
        let mut view = self.0.view.clone();
        let shown = view.wait_for(|view| view.as_deref().is_some_and(&mut wanted));
        // A view that is no longer followed shows nothing any more, as one that is late.
        let shown = tokio::time::timeout(limit, shown).await.ok()?.ok()?;
        shown.clone()
    }
}
