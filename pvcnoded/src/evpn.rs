//! FRR's configuration on this node: the shell around `pvc_plan::evpn`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::Ipv4Net;
use pvc_common::id::NodeName;
use pvc_common::view::View;
use pvc_host::{Frr, FrrError};
use pvc_plan::evpn::{Fabric, Owner, is_needed, owner, render, unheard};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::Tree;
use tokio::time::Instant;

use crate::health::{Finding, Health};

/// How often FRR's file is looked at and FRR asked whom it hears, and how soon after a failure it is tried
/// again.
const EVERY: Duration = Duration::from_secs(60);
const AGAIN: Duration = Duration::from_secs(10);

/// For how long a peer that serves may be without a session: FRR may just have begun, here or there.
/// Less than `EVERY`, so that two looks in a row tell, unless a change of the nodes has brought them close
/// together.
const PATIENCE: Duration = Duration::from_secs(30);

/// The name of this check among a node's health checks.
const CHECK: &str = "evpn";
/// Percent by which a node lowers its health whose VMs other nodes do not find.
const DELTA: u32 = 25;
/// Percent by which it does if there are nodes of which it hears nothing; they tell as much of it.
const UNHEARD_DELTA: u32 = 10;

/// Has FRR tell other nodes where VMs are.
pub struct EvpnKeeper<T, F> {
    me: NodeName,
    own: Ipv4Addr,
    cluster: Ipv4Net,
    frr: F,
    health: Health<T>,
    last: Option<Last>,
    /// The peers without a session at the last look, and since when.
    unheard: BTreeMap<NodeName, Instant>,
}

/// What was wanted last, and what came of it.
struct Last {
    /// `None` where there is nothing to tell.
    wanted: Option<Fabric>,
    report: Report,
    /// Until when it stands.
    until: Instant,
}

/// What an activation found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// There are no managed networks.
    NotNeeded,
    /// FRR is configured by somebody else.
    Left,
    /// FRR runs as it should, with so many peers.
    Told {
        /// The nodes it peers with.
        peers: usize,
        /// Whether it had to be configured for that.
        changed: bool,
    },
    /// FRR runs, and has no session with these nodes although they serve.
    Unheard(Vec<NodeName>),
    /// Why FRR could not be configured, or asked.
    Failed(String),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNeeded => f.write_str("there are no managed networks"),
            Self::Left => f.write_str(
                "FRR's configuration is not pvcnoded's (/etc/frr/frr.conf): it is left alone",
            ),
            Self::Told { peers, changed: true } => {
                write!(f, "FRR is configured, with {peers} peers")
            }
            Self::Told { peers, changed: false } => {
                write!(f, "FRR is in order, with {peers} peers")
            }
            Self::Unheard(nodes) => {
                let nodes: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
                let nodes = nodes.join(", ");
                write!(f, "FRR here has no session with the FRR of {nodes}, although they serve")
            }
            Self::Failed(why) => write!(f, "other nodes do not learn of the VMs here: {why}"),
        }
    }
}

impl<T: Tree, F: Frr> EvpnKeeper<T, F> {
    /// For a node with this address in the cluster network.
    pub const fn new(
        me: NodeName,
        own: Ipv4Addr,
        cluster: Ipv4Net,
        frr: F,
        health: Health<T>,
    ) -> Self {
        Self { me, own, cluster, frr, health, last: None, unheard: BTreeMap::new() }
    }

    async fn see_to_it(
        &mut self,
        wanted: Option<&Fabric>,
        view: &View,
    ) -> Result<Report, FrrError> {
        let before = std::mem::take(&mut self.unheard);
        let Some(fabric) = wanted else {
            return Ok(Report::NotNeeded);
        };
        let stored = self.frr.stored().await?;
        if owner(stored.as_deref()) == Owner::Other {
            return Ok(Report::Left);
        }
        let (peers, text) = (fabric.peers.len(), render(fabric));
        let changed = stored.as_ref() != Some(&text);
        if changed {
            self.frr.configure(&text).await?;
        }
        self.unheard = self.listen(fabric, view, &before).await?;
        let now = Instant::now();
        let given_up = self.unheard.iter().filter(|(_, since)| **since + PATIENCE <= now);
        let given_up: Vec<NodeName> = given_up.map(|(node, _)| node.clone()).collect();
        if given_up.is_empty() {
            Ok(Report::Told { peers, changed })
        } else {
            Ok(Report::Unheard(given_up))
        }
    }

    /// The peers without a session now, and since when, by those of the last look.
    async fn listen(
        &self,
        fabric: &Fabric,
        view: &View,
        before: &BTreeMap<NodeName, Instant>,
    ) -> Result<BTreeMap<NodeName, Instant>, FrrError> {
        let (heard, now) = (self.frr.heard().await?, Instant::now());
        let unheard = unheard(fabric, view, &heard).into_iter();
        Ok(unheard
            .map(|node| {
                let since = before.get(&node).copied().unwrap_or(now);
                (node, since)
            })
            .collect())
    }

    fn tell(&self, report: &Report) {
        if self.last.as_ref().is_some_and(|last| last.report == *report) {
            return;
        }
        match report {
            Report::NotNeeded | Report::Told { changed: false, .. } => tracing::debug!("{report}"),
            Report::Left | Report::Told { changed: true, .. } => tracing::info!("{report}"),
            Report::Unheard(_) => tracing::warn!("{report}"),
            Report::Failed(_) => tracing::error!("{report}"),
        }
    }

    async fn publish(&self, report: &Report) {
        let delta = match report {
            Report::NotNeeded | Report::Left | Report::Told { .. } => 0,
            Report::Unheard(_) => UNHEARD_DELTA,
            Report::Failed(_) => DELTA,
        };
        let finding = Finding { delta, message: report.to_string() };
        if let Err(error) = self.health.publish(CHECK, finding, Vec::new()).await {
            tracing::debug!(%error, "how FRR is doing is not published yet");
        }
    }
}

impl<T: Tree, F: Frr> Reconciler for EvpnKeeper<T, F> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "evpn";
    const PERIOD: Duration = EVERY;

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        let wanted = is_needed(&view).then(|| {
            Fabric::of(&self.me, self.own, &view, |address| self.cluster.contains(&address))
        });
        let now = Instant::now();
        if let Some(last) = self.last.as_ref().filter(|last| last.wanted == wanted)
            && last.until > now
        {
            return Outcome { report: last.report.clone(), wake_at: Some(last.until) };
        }
        let report = self.see_to_it(wanted.as_ref(), &view).await;
        let report = report.unwrap_or_else(|error| Report::Failed(error.to_string()));
        self.tell(&report);
        self.publish(&report).await;
        let failed = matches!(report, Report::Failed(_));
        let until = Instant::now() + if failed { AGAIN } else { EVERY };
        self.last = Some(Last { wanted, report: report.clone(), until });
        Outcome { report, wake_at: Some(until) }
    }
}

#[cfg(test)]
mod tests {
    use pvc_common::view::{Builder, Scope};
    use pvc_common::zk::{Op, Version};
    use pvc_host::fake::FakeHost;
    use pvc_zk::FakeTree;

    use super::*;

    /// A cluster of so many coordinators, with a network or without.
    fn view(nodes: u32, network: bool) -> Arc<View> {
        let mut builder = Builder::new(Scope::Decisions);
        let mut set = |path: String, text: &str| {
            builder.set(&path, Some((text.as_bytes(), Version(0))));
        };
        for n in 1..=nodes {
            let presence =
                format!("{{\"boot\":\"b\",\"mesh\":[],\"addresses\":[\"10.255.0.{n}\"]}}");
            set(format!("/nodes/hv{n}"), "coordinator");
            set(format!("/nodes/hv{n}/daemonmode"), "coordinator");
            set(format!("/nodes/hv{n}/presence"), &presence);
            set(format!("/nodes/hv{n}/daemonstate"), "run");
        }
        if network {
            set("/networks/7/nettype".to_owned(), "managed");
        }
        builder.snapshot()
    }

    fn keeper(host: &FakeHost) -> EvpnKeeper<FakeTree, FakeHost> {
        keeper_in(host, &FakeTree::new())
    }

    fn keeper_in(host: &FakeHost, tree: &FakeTree) -> EvpnKeeper<FakeTree, FakeHost> {
        let me: NodeName = "hv1".parse().unwrap();
        let health = Health::new(me.clone(), tree.clone());
        let cluster = "10.255.0.0/24".parse().unwrap();
        EvpnKeeper::new(me, "10.255.0.1".parse().unwrap(), cluster, host.clone(), health)
    }

    #[tokio::test]
    async fn frr_is_configured_when_it_is_needed_and_only_when_nodes_change() {
        let host = FakeHost::new();
        host.install_frr(Some("# Debian's\nlog syslog informational\n"));
        let mut keeper = keeper(&host);
        assert_eq!(keeper.reconcile(view(3, false)).await.report, Report::NotNeeded);
        assert_eq!(host.frr_configured(), 0);
        for _ in 0..3 {
            keeper.reconcile(view(3, true)).await;
        }
        assert_eq!(host.frr_configured(), 1);
        let report = keeper.reconcile(view(4, true)).await.report;
        assert_eq!(report, Report::Told { peers: 3, changed: true });
        assert!(host.frr_stored().unwrap().contains("10.255.0.4"));
        // Another daemon finds everything in order.
        let report = super::tests::keeper(&host).reconcile(view(4, true)).await.report;
        assert_eq!(report, Report::Told { peers: 3, changed: false });
        assert_eq!(host.frr_configured(), 2);
    }

    #[tokio::test]
    async fn what_somebody_else_configured_is_left_alone() {
        let (host, text) = (FakeHost::new(), "router bgp 65500\n bgp router-id 10.0.0.1\n");
        host.install_frr(Some(text));
        let report = keeper(&host).reconcile(view(3, true)).await.report;
        assert_eq!(report, Report::Left);
        assert_eq!(host.frr_stored().as_deref(), Some(text));
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_without_frr_is_in_trouble_only_if_there_are_managed_networks() {
        let host = FakeHost::new();
        let mut keeper = keeper(&host);
        assert_eq!(keeper.reconcile(view(3, false)).await.report, Report::NotNeeded);
        let report = keeper.reconcile(view(3, true)).await.report;
        assert!(report.to_string().contains("FRR is not installed"), "{report}");
        host.install_frr(None);
        host.deafen_frr(true);
        tokio::time::advance(AGAIN).await;
        let report = keeper.reconcile(view(3, true)).await.report;
        assert!(report.to_string().contains("is its bgpd enabled"), "{report}");
        host.deafen_frr(false);
        tokio::time::advance(AGAIN).await;
        let report = keeper.reconcile(view(3, true)).await.report;
        assert_eq!(report, Report::Told { peers: 2, changed: true });
    }

    /// A look once the last one is over.
    async fn next(keeper: &mut EvpnKeeper<FakeTree, FakeHost>, view: &Arc<View>) -> String {
        tokio::time::advance(EVERY).await;
        keeper.reconcile(Arc::clone(view)).await.report.to_string()
    }

    #[tokio::test(start_paused = true)]
    async fn an_frr_that_ended_is_noticed_although_its_file_is_as_it_shall_be() {
        let (host, view) = (FakeHost::new(), view(3, true));
        host.install_frr(None);
        let mut keeper = keeper(&host);
        keeper.reconcile(Arc::clone(&view)).await;
        assert_eq!(next(&mut keeper, &view).await, "FRR is in order, with 2 peers");
        host.stop_frr(true);
        let report = next(&mut keeper, &view).await;
        assert!(report.contains("FRR does not answer: "), "{report}");
        host.stop_frr(false);
        assert_eq!(next(&mut keeper, &view).await, "FRR is in order, with 2 peers");
        assert_eq!(host.frr_configured(), 1, "it starts with what it had");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_serves_and_is_not_heard_of_is_named_at_the_second_look() {
        let (host, view) = (FakeHost::new(), view(4, true));
        host.install_frr(None);
        for peer in [2, 3] {
            host.part_frr_from(Ipv4Addr::new(10, 255, 0, peer), true);
        }
        let tree = FakeTree::new();
        let made = ["/nodes", "/nodes/hv1", "/nodes/hv1/monitoring_data"];
        let made = made.map(|path| Op::Create { path: path.to_owned(), data: Vec::new() });
        tree.commit(made.into()).await.unwrap();
        let health = async || tree.get("/nodes/hv1/monitoring_health").await.unwrap().unwrap().data;
        let mut keeper = keeper_in(&host, &tree);
        let first = keeper.reconcile(Arc::clone(&view)).await.report.to_string();
        assert_eq!(first, "FRR is configured, with 3 peers", "they may be slow");
        assert_eq!(health().await, b"100");
        let told = next(&mut keeper, &view).await;
        assert!(told.contains("no session with the FRR of hv2, hv3,"), "{told}");
        assert_eq!(health().await, b"90");
        host.part_frr_from(Ipv4Addr::new(10, 255, 0, 2), false);
        let told = next(&mut keeper, &view).await;
        assert!(told.contains("no session with the FRR of hv3,"), "{told}");
        host.part_frr_from(Ipv4Addr::new(10, 255, 0, 3), false);
        assert_eq!(next(&mut keeper, &view).await, "FRR is in order, with 3 peers");
    }
}
