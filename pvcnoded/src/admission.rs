//! Whether Ceph lets this node in.
//!
//! A fence shuts the storage clients of a node out, and they stay shut out: a QEMU that merely
//! hung would write on when it is let in again. So the node itself takes its addresses off the
//! blocklist, once nothing of the old lives here.
//!
//! ```text
//!  condemned: /nodes/<n>/shut_out is written ──▶ fence ends ──▶ listed? ──no──▶ key is removed
//!                                                     ▲           │ yes           it serves
//!                                                     │           ▼
//!        its addresses leave the blocklist ◀── VMs on RBD end ◀── it serves no more (`init`)
//! ```
//! Only a node that does not serve takes itself off the list. It runs nothing on RBD then and
//! starts nothing: should it be condemned in that very moment, and the new entry go with the old
//! one, nobody writes. The new fence has written the key again, so that it is not removed.
//! A serving node looks now and then, too: an entry may come late.

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
use pvc_common::zk::{Expected, Op, Seen, key};
use pvc_libvirt::{Hypervisor, HypervisorError};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::{CommitError, Tree};
use tokio::time::Instant;

use crate::vm::Starts;

/// How often Ceph is asked, and how soon again after a failure, or after something was changed.
const EVERY: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_secs(1);

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
    /// Libvirt may still be starting VMs.
    Starting,
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
            Self::Starting => f.write_str("libvirt may still be starting VMs here: waiting"),
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
    /// `None` on a node that runs no VMs.
    vms: Option<(H, Starts)>,
    ceph: C,
    addresses: Vec<IpAddr>,
    last: Option<Last>,
}

/// What was found last.
struct Last {
    report: Report,
    /// The key by which that was judged.
    shut_out: Expected,
    /// Until when it stands.
    until: Instant,
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
    /// For the storage clients at the given addresses, which are this node's own.
    pub fn new(
        me: NodeName,
        tree: T,
        vms: Option<(H, Starts)>,
        (ceph, addresses): (C, Vec<IpAddr>),
    ) -> Self {
        Self { me, tree, vms, ceph, addresses, last: None }
    }

    async fn look(&self, own: &Node) -> Result<Report, Trouble> {
        let (listed, found) = match self.ceph.blocklisted().await {
            Ok(entries) => (entries.iter().any(|it| self.is_own(it.who)), Report::Admitted),
            Err(CephError::Absent { .. }) => (false, Report::NoCeph),
            Err(error) => return Err(Trouble::Ceph(error)),
        };
        let (state, shut_out) = (key::node_daemon_state(&self.me), key::node_shut_out(&self.me));
        let serves = own.daemon_state.copied() == Some(DaemonState::Run);
        let is_marked = own.liveness.shut_out != Seen::Absent;
        if !listed {
            if let Some(removal) = shut_out.delete(&own.liveness.shut_out) {
                self.commit(vec![removal]).await?;
            }
            return Ok(found);
        }
        if serves || !is_marked {
            let why = "it is on Ceph's blocklist".to_owned();
            let withdrawal = if serves {
                Some(state.put(&own.daemon_state, &DaemonState::Init))
            } else {
                state.check(&own.daemon_state)
            };
            let mark = shut_out.put(&own.liveness.shut_out, &why);
            self.commit(std::iter::once(mark).chain(withdrawal).collect()).await?;
            return Ok(Report::Withdrew);
        }
        // What was seen still holds: the node does not serve.
        let as_seen = [state.check(&own.daemon_state), shut_out.check(&own.liveness.shut_out)];
        self.commit(as_seen.into_iter().flatten().collect()).await?;
        if let Some((hypervisor, starts)) = &self.vms {
            // What libvirt is still starting would not be shut out when it is there.
            if starts.is_any_open() {
                return Ok(Report::Starting);
            }
            let on_rbd = on_rbd(hypervisor).await.map_err(Trouble::Hypervisor)?;
            for vm in &on_rbd {
                tracing::warn!(vm.uuid = %vm, "ended: Ceph has shut it out for good");
                hypervisor.destroy(*vm).await.map_err(Trouble::Hypervisor)?;
            }
            if !on_rbd.is_empty() {
                return Ok(Report::Ended(on_rbd.len()));
            }
        }
        self.ceph.unblocklist(&self.addresses).await.map_err(Trouble::Ceph)?;
        Ok(Report::Unlisted)
    }

    async fn commit(&self, ops: Vec<Op>) -> Result<(), Trouble> {
        self.tree.commit(ops).await.map_err(Trouble::Tree)
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

    fn tell(&self, report: &Report) {
        let before = self.last.as_ref().map(|last| &last.report);
        if before == Some(report) {
            return;
        }
        match report {
            Report::Admitted | Report::NoCeph if before.is_none() => tracing::debug!("{report}"),
            Report::Admitted | Report::NoCeph | Report::Starting | Report::Unlisted => {
                tracing::info!("{report}");
            }
            Report::Condemned | Report::Ended(_) | Report::Failed(_) => tracing::warn!("{report}"),
            Report::Withdrew => tracing::error!("{report}"),
        }
    }
}

/// The VMs here that use RBD volumes.
async fn on_rbd<H: Hypervisor>(hypervisor: &H) -> Result<BTreeSet<VmUuid>, HypervisorError> {
    let mut found = BTreeSet::new();
    for vm in hypervisor.vms().await? {
        match hypervisor.live_xml(vm.uuid).await {
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

/// Until when a report stands, unless the node is condemned.
fn stands(report: &Report) -> Duration {
    match report {
        Report::Condemned => Duration::ZERO,
        Report::Admitted | Report::NoCeph => EVERY,
        Report::Withdrew
        | Report::Starting
        | Report::Ended(_)
        | Report::Unlisted
        | Report::Failed(_) => SOON,
    }
}

impl<T: Tree, H: Hypervisor, C: Ceph> Reconciler for Admitter<T, H, C> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "admission";
    const PERIOD: Duration = EVERY;

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        let Some(own) = view.nodes.get(&self.me) else {
            return Outcome::settled(Report::Failed("this node is not in the tree".to_owned()));
        };
        let shut_out = own.liveness.shut_out.expected();
        let condemned = own.liveness.fence != Seen::Absent;
        if let Some(last) = self.last.as_ref().filter(|last| last.shut_out == shut_out)
            && !condemned
            && last.until > Instant::now()
        {
            return Outcome { report: last.report.clone(), wake_at: Some(last.until) };
        }
        let report = if condemned {
            Report::Condemned
        } else if self.tree.session().borrow().live().is_none() {
            Report::Failed("there is no session with ZooKeeper".to_owned())
        } else {
            self.look(own).await.unwrap_or_else(|trouble| Report::Failed(trouble.to_string()))
        };
        self.tell(&report);
        let until = Instant::now() + stands(&report);
        let wake_at = (!condemned).then_some(until);
        self.last = Some(Last { report: report.clone(), shut_out, until });
        Outcome { report, wake_at }
    }
}
