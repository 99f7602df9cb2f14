//! The devices of the VMs' networks on this node: the shell around `pvc_plan::network`.
//!
//! Whatever a network lacks becomes a fault of that network, which is told in the log and lowers the
//! node's health; the others are seen to all the same.

mod look;
mod report;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::{NodeName, Vni};
use pvc_common::view::View;
use pvc_common::zk::{Text, key};
use pvc_host::{LinkError, LinkStep, Links, Mac};
use pvc_plan::network::{Carriers, Device, Plan, Step, Wanted, Work, devices_of, plan, plan_some};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::Tree;
use tokio::time::Instant;

pub use report::Report;

use crate::health::{Finding, Health};

/// How long the devices are taken to be as they were left: nobody else changes them.
const EVERY: Duration = Duration::from_secs(30);
/// How soon is looked again for what could not be done.
const AGAIN: Duration = Duration::from_secs(10);

/// The name of this check among a node's health checks.
const CHECK: &str = "networks";
/// Percent by which networks that are not in order lower the node's health.
const DELTA: u32 = 10;

/// For how long a network may lack its type before that is a fault. One that is made or removed is seen in
/// between, for the tree shows it node by node.
const MAKING: Duration = Duration::from_secs(5);

/// With more networks than these a change is not told of each, and everything is looked at for it.
const FEW: usize = 10;

/// Keeps the devices of networks as the tree says.
pub struct NetworkKeeper<T, L> {
    me: NodeName,
    links: L,
    carriers: Carriers,
    health: Health<T>,
    /// Networks that lack their type, and since when.
    unfinished: BTreeMap<Vni, Instant>,
    last: Option<Last>,
}

/// What was wanted last, and what came of it.
struct Last {
    wanted: BTreeMap<Vni, Wanted>,
    report: Report,
    /// What was in a group at the last look at everything.
    grouped: BTreeMap<String, Device>,
    /// Until when it stands.
    until: Instant,
    /// Whether the tree says so.
    told: bool,
}

impl Last {
    /// The few networks that have changed since; `None` if everything is to be looked at.
    fn changed(&self, wanted: &BTreeMap<Vni, Wanted>) -> Option<BTreeSet<Vni>> {
        let all = self.wanted.keys().chain(wanted.keys());
        let changed = all.filter(|vni| self.wanted.get(vni) != wanted.get(vni));
        let changed: BTreeSet<Vni> = changed.copied().collect();
        let stands = self.told && self.report.is_settled() && Instant::now() < self.until;
        (stands && changed.len() <= FEW).then_some(changed)
    }
}

impl<T: Tree, L: Links> NetworkKeeper<T, L> {
    /// A keeper that has seen nothing yet.
    pub const fn new(me: NodeName, links: L, carriers: Carriers, health: Health<T>) -> Self {
        Self { me, links, carriers, health, unfinished: BTreeMap::new(), last: None }
    }

    /// The networks that may be being made or removed just now, and when the first of them may no more.
    fn unfinished(&mut self, wanted: &BTreeMap<Vni, Wanted>) -> (BTreeSet<Vni>, Option<Instant>) {
        let now = Instant::now();
        let unfinished = wanted.iter().filter(|(_, network)| network.is_unfinished());
        let since = |vni: &Vni| self.unfinished.get(vni).copied().unwrap_or(now);
        self.unfinished = unfinished.map(|(vni, _)| (*vni, since(vni))).collect();
        let due = |since: &Instant| *since + MAKING;
        let young = self.unfinished.iter().filter(|(_, since)| due(since) > now);
        (young.clone().map(|(vni, _)| *vni).collect(), young.map(|(_, since)| due(since)).min())
    }

    /// Looks at everything and acts. What the tree lacks of networks that are `unfinished` is no fault.
    async fn bring_in_order(
        &self,
        wanted: &BTreeMap<Vni, Wanted>,
        unfinished: &BTreeSet<Vni>,
    ) -> Result<(Report, BTreeMap<String, Device>), LinkError> {
        let seen = look::devices(self.links.observe().await?);
        let plan = plan(wanted, &self.carriers, &seen);
        Ok((self.act(wanted, unfinished, plan, BTreeMap::new()).await, look::grouped(&seen)))
    }

    /// Looks at some networks and acts. With many networks a look at everything takes longer than all else.
    async fn bring_some_in_order(
        &self,
        some: &BTreeSet<Vni>,
        wanted: &BTreeMap<Vni, Wanted>,
        unfinished: &BTreeSet<Vni>,
        last: &Last,
    ) -> Result<Report, LinkError> {
        let asked = devices_of(some, &self.carriers);
        let seen = self.links.observe_some(&asked).await?;
        let seen = look::some(seen, &asked, &last.grouped);
        let mut faults = last.report.faults();
        faults.retain(|vni, _| !some.contains(vni));
        let plan = plan_some(some, wanted, &self.carriers, &seen);
        Ok(self.act(wanted, unfinished, plan, faults).await)
    }

    /// Does what is planned; there may be faults of other networks already.
    async fn act(
        &self,
        wanted: &BTreeMap<Vni, Wanted>,
        unfinished: &BTreeSet<Vni>,
        Plan { trunk, networks }: Plan,
        mut faults: BTreeMap<Vni, String>,
    ) -> Report {
        for step in &trunk {
            if let Err(error) = self.links.apply(&link_step(step)).await {
                tracing::warn!(%error, "{step}: failed; bridged networks suffer for it");
            }
        }
        let few = networks.values().filter(|work| !work.steps.is_empty()).count() <= FEW;
        let (mut again, mut changed) = (false, Vec::new());
        for (vni, Work { steps, fault }) in networks {
            let fault = fault.filter(|_| !unfinished.contains(&vni));
            let outcome = self.carry_out(&steps).await;
            if outcome.is_ok() && !steps.is_empty() {
                tell(vni, steps.len(), few);
                changed.push(vni);
            }
            // What failed may succeed; a VM that is in the way may go.
            again |= outcome.is_err() || fault.is_some() && !wanted.contains_key(&vni);
            if let Some(fault) = outcome.err().or(fault) {
                faults.insert(vni, fault);
            }
        }
        let in_order = |vni: &&Vni| !faults.contains_key(vni) && !unfinished.contains(vni);
        let there = wanted.keys().filter(in_order).count();
        Report::Seen { there, changed, faults, again }
    }

    async fn carry_out(&self, steps: &[Step]) -> Result<(), String> {
        for step in steps {
            self.links.apply(&link_step(step)).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Has the tree say what came of it; whether it does.
    async fn publish(&self, report: &Report) -> bool {
        let count = report
            .there()
            .map(|there| (key::node_networks_count(&self.me).into_path(), there.encode()));
        let trouble = report.trouble();
        let finding = Finding {
            delta: if trouble.is_some() { DELTA } else { 0 },
            message: trouble.unwrap_or_else(|| report.to_string()),
        };
        match self.health.publish(CHECK, finding, count.into_iter().collect()).await {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(%error, "how the networks are is not published yet");
                false
            }
        }
    }

    fn tell(&self, report: &Report) {
        let before = self.last.as_ref().and_then(|last| last.report.trouble());
        match report.trouble() {
            Some(trouble) if before.as_ref() != Some(&trouble) => tracing::warn!("{trouble}"),
            None if before.is_some() => tracing::info!("all networks of VMs are in order again"),
            Some(_) | None => {}
        }
        if self.last.is_none() || report.has_changed() {
            tracing::info!("networks of VMs: {report}");
        }
    }
}

/// One line of each, where there are few.
fn tell(vni: Vni, steps: usize, few: bool) {
    if few {
        tracing::info!(network.vni = %vni, "network {vni} is in order now, after {steps} steps");
    } else {
        tracing::debug!(network.vni = %vni, "network {vni} is in order now, after {steps} steps");
    }
}

/// What a step of the plan is for the kernel.
fn link_step(step: &Step) -> LinkStep {
    match step.clone() {
        Step::Make { device, kind } => LinkStep::Make { name: device, kind },
        Step::Remove { device } => LinkStep::Remove { device },
        Step::RemoveTogether { devices, group } => LinkStep::RemoveTogether { devices, group },
        Step::Address { device, mac } => LinkStep::Address { device, mac: Mac(mac) },
        Step::Quiet { device } => LinkStep::Quiet { device },
        Step::Mtu { device, mtu } => LinkStep::Mtu { device, mtu },
        Step::Join { device, bridge } => LinkStep::Enslave { device, bridge },
        Step::Unlearning { device } => LinkStep::Unlearning { device },
        Step::Up { device } => LinkStep::Up { device },
        Step::Down { device } => LinkStep::Down { device },
    }
}

impl<T: Tree, L: Links> Reconciler for NetworkKeeper<T, L> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "networks";
    const PERIOD: Duration = EVERY;

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        let networks = view.networks.iter();
        let wanted: BTreeMap<Vni, Wanted> =
            networks.map(|(vni, network)| (*vni, Wanted::of(network))).collect();
        let now = Instant::now();
        let last = self.last.as_ref();
        if let Some(last) = last.filter(|last| last.wanted == wanted)
            && last.until > now
            && last.told
        {
            return Outcome { report: last.report.clone(), wake_at: Some(last.until) };
        }
        let (unfinished, due) = self.unfinished(&wanted);
        let few = self.last.as_ref().and_then(|last| Some((last, last.changed(&wanted)?)));
        let (seen, fresh) = match few {
            Some((last, some)) => {
                let seen = self.bring_some_in_order(&some, &wanted, &unfinished, last).await;
                (seen.map(|report| (report, last.grouped.clone())), last.until)
            }
            None => (self.bring_in_order(&wanted, &unfinished).await, now + EVERY),
        };
        let (report, grouped) =
            seen.unwrap_or_else(|error| (Report::Unseen(error.to_string()), BTreeMap::new()));
        self.tell(&report);
        let told = self.publish(&report).await;
        let until = if told && report.is_settled() { fresh } else { now + AGAIN };
        let until = due.map_or(until, |due| due.min(until));
        self.last = Some(Last { wanted, report: report.clone(), grouped, until, told });
        Outcome { report, wake_at: Some(until) }
    }
}
