//! DHCP, router advertisements and names of networks: a dnsmasq for each, where the primary is.
//!
//! ```text
//!   view ──▶ folders ──▶ pvc-dhcp@<vni>.service ──▶ helper ──▶ spool ──▶ tree ──▶ view
//! ```
//! The units outlive the daemon. The outfit opens and closes the gate; while it is open, the
//! reconciler has a unit running for each network that has something to be served. A unit that
//! does not run is its own trouble: the primary and the other networks know nothing of it.
//!
//! Events reach the tree from any node, whether it is primary or was: see [`lease`].

pub mod folder;
pub mod helper;
mod keep;
mod lease;
pub mod mark;
mod report;
mod retell;
pub mod spool;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::{NodeName, Vni};
use pvc_common::view::View;
use pvc_host::{Links, UnitState, Units};
use pvc_plan::primary::{Holding, Phase};
use pvc_runtime::drain::Drain;
use pvc_runtime::reconcile::{Nudge, Outcome, Reconciler, Registry, spawn_with};
use pvc_zk::Tree;
use tokio::net::UnixDatagram;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::dns::Reckoned;
use crate::gate::Gate;
use crate::health::Health;
use crate::outfit::{Doing, Part, failure};

use folder::Folders;
use keep::Keep;
use lease::Leases;
use report::Teller;
use retell::Retell;
use spool::Spool;
use standing::Standing;

pub use report::Report;

/// How soon what failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long units that stop are waited for. One whose dnsmasq still has much told may take longer
/// (`TimeoutStopSec`), and other networks do not wait for that.
const STOP: Duration = Duration::from_secs(5);

/// Where things are.
#[derive(Clone, Debug)]
pub struct Places {
    /// The folders of the networks' dnsmasqs.
    pub run: PathBuf,
    /// Where events of leases wait.
    pub spool: PathBuf,
    /// The lease helper.
    pub helper: PathBuf,
    /// The address at which the cluster's PowerDNS answers, if there is one.
    pub names: Option<IpAddr>,
}

impl Default for Places {
    fn default() -> Self {
        let helper = "/usr/sbin/pvc-dhcp-lease".into();
        Self { run: helper::RUN.into(), spool: helper::SPOOL.into(), helper, names: None }
    }
}

/// The unit of a network.
fn unit(vni: Vni) -> String {
    format!("pvc-dhcp@{vni}.service")
}

/// The node whose dnsmasqs they are.
pub struct Node<T, L> {
    /// Its name.
    pub me: NodeName,
    /// Where leases are kept.
    pub tree: T,
    /// Its bridges.
    pub links: L,
    /// Where it is told what is in disorder.
    pub health: Health<T>,
}

/// The dnsmasqs of all networks. Clones are the same.
pub struct Dhcp<U> {
    units: Arc<U>,
    folders: Folders,
    places: Places,
    gate: Gate,
    nudge: Nudge,
}

impl<U> Clone for Dhcp<U> {
    fn clone(&self) -> Self {
        Self {
            units: Arc::clone(&self.units),
            folders: self.folders.clone(),
            places: self.places.clone(),
            gate: self.gate.clone(),
            nudge: self.nudge.clone(),
        }
    }
}

impl<U: Units> Dhcp<U> {
    /// None shall run until they are taken up; those that do, run on until they are laid down.
    pub fn new(units: U, places: Places) -> Self {
        let folders = Folders::new(&places.run);
        Self {
            units: Arc::new(units),
            folders,
            places,
            gate: Gate::default(),
            nudge: Nudge::default(),
        }
    }

    /// Starts what follows the networks while this node is primary, and brings leases to the tree.
    pub fn follow<T: Tree, L: Links>(
        &self,
        node: Node<T, L>,
        views: watch::Receiver<Option<Arc<View>>>,
        registry: &Registry,
        drain: &Drain,
    ) -> Vec<JoinHandle<()>> {
        let keeper = self.keeper(node);
        let ear = hear(self.folders.root().join(helper::POKE), self.nudge.clone(), drain.clone());
        let keeping = spawn_with(keeper, self.nudge.clone(), views, registry, drain).task;
        vec![keeping, tokio::spawn(ear)]
    }

    /// Has units stop; the networks whose unit is still at it after a while.
    async fn stop(&self, networks: &[Vni]) -> Result<BTreeSet<Vni>, String> {
        let units: Vec<String> = networks.iter().map(|vni| unit(*vni)).collect();
        if let Ok(stopped) = tokio::time::timeout(STOP, self.units.stop_all(&units)).await {
            return stopped.map(|()| BTreeSet::new()).map_err(|error| failure(error).what);
        }
        let states = self.units.states(&units).await.map_err(|error| failure(error).what)?;
        let still = networks.iter().zip(states).filter(|(_, state)| match state {
            UnitState::Starting
            | UnitState::Active
            | UnitState::Stopping
            | UnitState::Restarting => true,
            UnitState::Absent | UnitState::Inactive | UnitState::Failed => false,
        });
        Ok(still.map(|(vni, _)| *vni).collect())
    }

    fn keeper<T: Tree, L: Links>(&self, node: Node<T, L>) -> DhcpKeeper<T, U, L> {
        let Node { me, tree, links, health } = node;
        let spool = Spool::new(&self.places.spool);
        let gate = self.gate.clone();
        DhcpKeeper {
            retell: Retell::new(self.clone(), spool.clone()),
            leases: Leases::new(me.clone(), tree, spool, self.folders.clone(), gate.clone()),
            me,
            keep: Keep::new(self.clone(), links),
            reckoned: Reckoned::default(),
            gate,
            teller: Teller::new(health),
        }
    }
}

/// Passes the helpers' pokes on. Without this, events are found when the daemon looks anyway.
async fn hear(path: PathBuf, nudge: Nudge, drain: Drain) {
    let pass_on = async {
        match bind(&path) {
            Ok(socket) => {
                while socket.recv(&mut [0; 16]).await.is_ok() {
                    nudge.nudge();
                }
            }
            Err(error) => tracing::warn!(%error, "dhcp: no socket at {}", path.display()),
        }
    };
    tokio::select! {
        () = drain.drained() => {}
        () = pass_on => {}
    }
}

fn bind(path: &Path) -> std::io::Result<UnixDatagram> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        // That of the former daemon.
        outcome => outcome?,
    }
    UnixDatagram::bind(path)
}

impl<U: Units> Part for Dhcp<U> {
    fn name(&self) -> &'static str {
        "DHCP"
    }

    fn phase(&self) -> Phase {
        Phase::Services
    }

    fn held(&self) -> Doing<'_, Holding> {
        Box::pin(async {
            let open = self.gate.is_open();
            let any = open || !self.folders.all().map_err(failure)?.is_empty();
            Ok(Holding { any, all: open })
        })
    }

    fn take_up(&self) -> Doing<'_, ()> {
        Box::pin(async {
            self.gate.open();
            self.nudge.nudge();
            Ok(())
        })
    }

    fn lay_down(&self) -> Doing<'_, ()> {
        Box::pin(async {
            let _closed = self.gate.close().await;
            let all = self.folders.all().map_err(failure)?;
            let units: Vec<String> = all.iter().map(|vni| unit(*vni)).collect();
            self.units.stop_all(&units).await.map_err(failure)?;
            all.iter().try_for_each(|vni| self.folders.forget(*vni)).map_err(failure)
        })
    }
}

/// Follows the networks while this node is primary, and brings leases to the tree.
struct DhcpKeeper<T, U, L> {
    retell: Retell<U>,
    leases: Leases<T>,
    keep: Keep<U, L>,
    reckoned: Reckoned,
    gate: Gate,
    me: NodeName,
    teller: Teller<T>,
}

impl<T: Tree, U: Units, L: Links> Reconciler for DhcpKeeper<T, U, L> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "dhcp";
    const PERIOD: Duration = Duration::from_secs(5);

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        let open = self.gate.is_open();
        let standing = Standing::of(open, &self.me, &view);
        if !open && standing == Standing::Between {
            self.keep.forget();
            return Outcome::settled(Report::default());
        }
        if self.reckoned.look(&view) {
            self.leases.rename(Arc::clone(self.reckoned.owners()));
            self.keep.rename(Arc::clone(self.reckoned.owners()));
        }
        let mut settled = self.leases.settle(&view, standing).await;
        let mut report = Report { settled: settled.events, ..Report::default() };
        let mut wake_at = None;
        if open {
            let missed = self.gate.pass(self.retell.see_to()).await.unwrap_or_default();
            report.trouble.extend(missed.trouble);
            // Before any dnsmasq is started: it would be told older ones.
            let astray = self.leases.keep(&view, &mut settled);
            match self.gate.pass(self.keep.tend(&view, astray, &missed.networks)).await {
                None => {}
                Some(Ok(tended)) => {
                    report.changed = tended.changed;
                    wake_at = tended.again;
                }
                Some(Err(what)) => {
                    report.trouble.insert(what);
                }
            }
            report.trouble.extend(self.keep.crashing());
        } else {
            self.keep.forget();
        }
        if settled.waits || !settled.trouble.is_empty() || !report.trouble.is_empty() {
            wake_at = Some(Instant::now() + AGAIN).into_iter().chain(wake_at).min();
        }
        report.trouble.extend(settled.trouble);
        self.teller.tell(&report.trouble).await;
        Outcome { report, wake_at }
    }
}
