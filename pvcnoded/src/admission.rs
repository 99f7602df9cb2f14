//! Whether Ceph lets this node in.
//!
//! A fence shuts the storage clients of a node out, and they stay shut out: a QEMU that merely
//! hung would write on when it is let in again. So the node itself takes its addresses off the
//! blocklist, once nothing of the old lives here.
//!
//! ```text
//!  unknown ──not listed──▶ admitted ──listed──▶ refused: the node serves no more (`init`)
//!                             ▲                    │ its VMs on RBD end: they can never write again
//!                             └── looked at again ─┴─▶ its addresses leave the blocklist
//! ```
//! Only a node that does not serve takes itself off the list. It runs nothing on RBD then and
//! starts nothing: should it be condemned in that very moment, and the new entry go with the old
//! one, nobody writes. Before it serves again it changes its own state, which the fence has
//! changed, too.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use pvc_ceph::{Blocked, Ceph, CephError};
use pvc_common::id::{NodeName, VmUuid};
use pvc_common::model::{Node, uses_rbd};
use pvc_common::state::DaemonState;
use pvc_common::view::View;
use pvc_common::zk::{Seen, key};
use pvc_libvirt::{Hypervisor, HypervisorError};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::{CommitError, Tree};
use tokio::sync::watch;
use tokio::time::Instant;

/// How often Ceph is asked, and how soon again after a failure, or after something was changed.
const EVERY: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_secs(1);

/// What is known of this node's way to Ceph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Nothing since it was last condemned, or since this daemon began.
    Unknown,
    /// Its clients are shut out.
    Refused,
    /// Its clients are let in, or there is no Ceph.
    Admitted,
}

impl Admission {
    /// Whether a node in this state may say that it serves. One that was fenced must know that it
    /// is let in; a daemon that was only restarted does not wait for Ceph.
    #[must_use]
    pub const fn lets_serve(self, state: Option<DaemonState>) -> bool {
        match (self, state) {
            (Self::Admitted, _) => true,
            (Self::Refused, _) | (Self::Unknown, Some(DaemonState::Dead | DaemonState::Fenced)) => {
                false
            }
            (Self::Unknown, _) => true,
        }
    }
}

/// What an activation found or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It waits for the end of its fence.
    Condemned,
    /// It is let in.
    Admitted,
    /// There is no Ceph on this node.
    NoCeph,
    /// It is shut out, and says that it does not serve.
    Withdrew,
    /// So many VMs were ended that could never write again.
    Ended(usize),
    /// It has taken its addresses off the blocklist.
    Unlisted,
    /// What went wrong.
    Failed(String),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condemned => f.write_str("this node is condemned"),
            Self::Admitted => f.write_str("Ceph lets this node in"),
            Self::NoCeph => f.write_str("there is no Ceph on this node"),
            Self::Withdrew => f.write_str("Ceph shuts this node out: it serves no more"),
            Self::Ended(count) => write!(f, "{count} VMs ended that Ceph had shut out"),
            Self::Unlisted => f.write_str("this node is off Ceph's blocklist"),
            Self::Failed(why) => write!(f, "not known whether Ceph lets this node in: {why}"),
        }
    }
}

/// Sees to it that this node is let in once nothing of the old lives here.
pub struct Admitter<T, H, C> {
    me: NodeName,
    tree: T,
    hypervisor: H,
    ceph: C,
    addresses: Vec<IpAddr>,
    admission: watch::Sender<Admission>,
    last: Option<(Report, Instant)>,
}

enum Trouble {
    Ceph(CephError),
    Hypervisor(HypervisorError),
    Tree(CommitError),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ceph(error) => error.fmt(f),
            Self::Hypervisor(error) => error.fmt(f),
            Self::Tree(error) => error.fmt(f),
        }
    }
}

impl<T: Tree, H: Hypervisor, C: Ceph> Admitter<T, H, C> {
    /// For the storage clients at `addresses`, which are this node's own. What is known is told
    /// by `admission`.
    pub fn new(
        me: NodeName,
        tree: T,
        hypervisor: H,
        (ceph, addresses): (C, Vec<IpAddr>),
        admission: watch::Sender<Admission>,
    ) -> Self {
        Self { me, tree, hypervisor, ceph, addresses, admission, last: None }
    }

    async fn look(&self, own: &Node) -> Result<Report, Trouble> {
        let listed = match self.ceph.blocklisted().await {
            Ok(entries) => entries.iter().any(|entry| self.is_own(entry.who)),
            Err(CephError::Absent { .. }) => {
                self.set(Admission::Admitted);
                return Ok(Report::NoCeph);
            }
            Err(error) => return Err(Trouble::Ceph(error)),
        };
        if !listed {
            self.set(Admission::Admitted);
            return Ok(Report::Admitted);
        }
        // From here on the keepalive does not say that the node serves.
        self.set(Admission::Refused);
        if own.daemon_state.copied() == Some(DaemonState::Run) {
            let state = key::node_daemon_state(&self.me);
            let withdraw = vec![state.put(&own.daemon_state, &DaemonState::Init)];
            self.tree.commit(withdraw).await.map_err(Trouble::Tree)?;
            return Ok(Report::Withdrew);
        }
        let shut_out = self.on_rbd().await.map_err(Trouble::Hypervisor)?;
        if !shut_out.is_empty() {
            for vm in &shut_out {
                tracing::warn!(vm.uuid = %vm, "ended: Ceph has shut it out for good");
                self.hypervisor.destroy(*vm).await.map_err(Trouble::Hypervisor)?;
            }
            return Ok(Report::Ended(shut_out.len()));
        }
        self.ceph.unblocklist(&self.addresses).await.map_err(Trouble::Ceph)?;
        Ok(Report::Unlisted)
    }

    /// An entry for a single client is not this node's affair: that client is gone.
    fn is_own(&self, who: Blocked) -> bool {
        match who {
            Blocked::Address(address) => self.addresses.contains(&address),
            Blocked::Network(network) => {
                self.addresses.iter().any(|address| IpNet::from(*address) == network)
            }
            Blocked::Client(_) => false,
        }
    }

    /// The VMs here that use RBD volumes.
    async fn on_rbd(&self) -> Result<BTreeSet<VmUuid>, HypervisorError> {
        let mut found = BTreeSet::new();
        for vm in self.hypervisor.vms().await? {
            match self.hypervisor.live_xml(vm.uuid).await {
                Ok(xml) if !uses_rbd(&xml) => {}
                Ok(_) => {
                    found.insert(vm.uuid);
                }
                Err(HypervisorError::NoSuchVm { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    fn set(&self, admission: Admission) {
        self.admission.send_if_modified(|known| {
            let before = std::mem::replace(known, admission);
            before != admission
        });
    }

    fn tell(&self, report: &Report) {
        let before = self.last.as_ref().map(|(report, _)| report);
        if before == Some(report) {
            return;
        }
        match report {
            Report::Admitted | Report::NoCeph if before.is_none() => tracing::debug!("{report}"),
            Report::Admitted | Report::NoCeph | Report::Unlisted => tracing::info!("{report}"),
            Report::Condemned | Report::Ended(_) | Report::Failed(_) => tracing::warn!("{report}"),
            Report::Withdrew => tracing::error!("{report}"),
        }
    }
}

/// Until when a report stands, unless the node is condemned.
fn stands(report: &Report) -> Duration {
    match report {
        Report::Condemned => Duration::ZERO,
        Report::Admitted | Report::NoCeph => EVERY,
        Report::Withdrew | Report::Ended(_) | Report::Unlisted | Report::Failed(_) => SOON,
    }
}

impl<T: Tree, H: Hypervisor, C: Ceph> Reconciler for Admitter<T, H, C> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "admission";
    const PERIOD: Duration = EVERY;

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        let own = view.nodes.get(&self.me);
        let condemned = own.is_some_and(|own| own.liveness.fence != Seen::Absent);
        if let Some((report, until)) = &self.last
            && !condemned
            && *until > Instant::now()
        {
            return Outcome { report: report.clone(), wake_at: Some(*until) };
        }
        let looked = match own {
            Some(_) if condemned => {
                self.set(Admission::Unknown);
                Ok(Report::Condemned)
            }
            Some(own) if self.tree.session().borrow().live().is_some() => self.look(own).await,
            Some(_) | None => Ok(Report::Failed("there is no session with ZooKeeper".to_owned())),
        };
        let report = looked.unwrap_or_else(|trouble| Report::Failed(trouble.to_string()));
        self.tell(&report);
        let until = Instant::now() + stands(&report);
        self.last = Some((report.clone(), until));
        Outcome { wake_at: (report != Report::Condemned).then_some(until), report }
    }
}
