//! The firewall of client networks on this node: the shell around `pvc_plan::firewall`.
//!
//! ```text
//!  look ──▶ plan ──▶ one transaction ──▶ as wanted
//!   ▲                    │ not taken
//!   │                    ▼
//!   └──── sift the rules by trials ──▶ plan without those that are refused
//! ```
//! A change that nft takes costs one call: what the kernel holds is known from the last look and from
//! what was done since. It is looked at anew when something is not taken, and from time to time, for
//! others may have removed it.

mod findings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::Vni;
use pvc_common::model::Network;
use pvc_common::observed::FirewallTable;
use pvc_common::view::{Shared, View};
use pvc_host::{Detail, Firewall, FirewallError};
use pvc_plan::firewall::{
    Base, Change, Nodes, Renderer, RuleText, Sieve, Wanted, changes, table, trial,
};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::Tree;
use tokio::time::Instant;

use crate::faults::Faults;
use crate::health::Health;

/// How long what others do to our table stays unseen. A look at a thousand chains takes a twentieth
/// of a second of one processor.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Part of the time that may be spent on looking at rules, too: so that every look is at rules, too,
/// as long as that takes half a second, and one in six where it takes three.
const RULES_SHARE: u32 = 60;

/// The name of this check among a node's health checks.
const CHECK: &str = "firewall";

/// Before what failed is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Keeps the firewall of client networks as the tree has it.
pub struct FirewallKeeper<T, F> {
    firewall: F,
    faults: Faults<T>,
    health: Health<T>,
    base: Base,
    renderer: Renderer,
    /// The rules of the tree that nft does not take, and why.
    refused: BTreeMap<RuleText, String>,
    /// The networks at which nft hung.
    late: BTreeSet<Vni>,
    /// What the kernel holds, unless that is in doubt.
    seen: Option<Option<FirewallTable>>,
    looked_at: Option<Instant>,
    /// When rules are to be looked at, too.
    rules_at: Option<Instant>,
    rest: Option<Rest>,
    report: Report,
}

/// For what all is done that can be done, and until when.
struct Rest {
    networks: Shared<Vni, Network>,
    maintenance: bool,
    until: Instant,
}

impl Rest {
    fn is_for(&self, view: &View) -> bool {
        view.networks.is(&self.networks) && self.maintenance == in_maintenance(view)
    }
}

fn in_maintenance(view: &View) -> bool {
    view.cluster.maintenance.get().is_some_and(|text| text == "true")
}

/// The state of the firewall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many networks have chains.
    pub networks: usize,
    /// How many networks' chains were changed.
    pub changed: usize,
    /// Which rules are left out, and why: one sentence for each network.
    pub omitted: Vec<String>,
    /// What is not as it shall be, and why.
    pub trouble: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} networks, {} changed", self.networks, self.changed)?;
        self.omitted.iter().chain(&self.trouble).try_for_each(|what| write!(f, "; {what}"))
    }
}

/// What came of bringing the kernel in line.
struct Done {
    /// How many networks were changed.
    changed: usize,
    /// What could not be done.
    troubles: Vec<Trouble>,
}

impl From<Trouble> for Done {
    fn from(trouble: Trouble) -> Self {
        Self { changed: 0, troubles: vec![trouble] }
    }
}

/// What could not be done.
struct Trouble {
    /// For which network, unless for all.
    network: Option<Vni>,
    what: &'static str,
    source: FirewallError,
}

impl<T: Tree, F: Firewall> FirewallKeeper<T, F> {
    /// Keeps this firewall, and for the nodes what is theirs; tells of rules that it cannot keep in
    /// this tree, and of what fails as a whole in the health of this node.
    pub fn new(tree: T, firewall: F, health: Health<T>, nodes: &Nodes) -> Self {
        Self {
            firewall,
            faults: Faults::new(tree),
            health,
            base: Base::new(nodes),
            renderer: Renderer::default(),
            refused: BTreeMap::new(),
            late: BTreeSet::new(),
            seen: None,
            looked_at: None,
            rules_at: None,
            rest: None,
            report: Report::default(),
        }
    }

    /// Looks at what the kernel holds, if that is in doubt.
    async fn look(&mut self) -> Result<(), Trouble> {
        if self.seen.is_none() {
            let seen = self.observe().await;
            let failed = |source| trouble("the firewall cannot be looked at", source);
            self.seen = Some(seen.map_err(failed)?);
            self.looked_at = Some(Instant::now());
        }
        Ok(())
    }

    /// At rules, too, if it is time for that and they can be had.
    async fn observe(&mut self) -> Result<Option<FirewallTable>, FirewallError> {
        let began = Instant::now();
        if self.rules_at.is_some_and(|at| began < at) {
            return self.firewall.observe(Detail::Ways).await;
        }
        let closely = self.firewall.observe(Detail::Rules).await;
        self.rules_at = Some(Instant::now() + began.elapsed() * RULES_SHARE);
        let error = match closely {
            Ok(seen) => return Ok(seen),
            Err(error) => error,
        };
        let seen = self.firewall.observe(Detail::Ways).await;
        if seen.is_ok() {
            tracing::warn!("firewall: what others do to rules is not seen: {}", chain(&error));
        }
        seen
    }

    async fn plan(
        &mut self,
        networks: &Shared<Vni, Network>,
    ) -> Result<(Wanted, Vec<Change>), Trouble> {
        let wanted = self.renderer.render(networks, &self.refused);
        match self.look().await {
            Ok(()) => {}
            Err(trouble) if networks.is_empty() => {
                // A node that has no use for it need not have nft.
                tracing::debug!(error = %trouble.source, "no firewall, and no network to have one");
                self.looked_at = Some(Instant::now());
                return Ok((wanted, vec![]));
            }
            Err(trouble) => return Err(trouble),
        }
        let seen = self.seen.as_ref().and_then(Option::as_ref);
        let changes = changes(&self.base, &wanted, seen);
        Ok((wanted, changes))
    }

    /// Brings the kernel in line.
    async fn bring_in_line(&mut self, networks: &Shared<Vni, Network>) -> Done {
        let mut untried = None;
        for _ in 0..2 {
            let (wanted, changes) = match self.plan(networks).await {
                Ok(plan) => plan,
                Err(trouble) => return trouble.into(),
            };
            if changes.is_empty() {
                return Done { changed: 0, troubles: vec![] };
            }
            let commands: String = changes.iter().map(|change| change.commands.as_str()).collect();
            match self.firewall.apply(&commands).await {
                Ok(()) => {
                    self.seen = Some(Some(table(&self.base, &wanted)));
                    self.late.clear();
                    let changed = changes.iter().filter(|change| change.network.is_some()).count();
                    return Done { changed, troubles: vec![] };
                }
                Err(error) => {
                    tracing::debug!(%error, "{} changes not taken", changes.len());
                    // What was known of the kernel may have been wrong, or there is a rule that it
                    // does not take.
                    self.seen = None;
                    if !matches!(error, FirewallError::Refused { .. }) {
                        break;
                    }
                }
            }
            untried = self.sift(&wanted, &changes).await.err();
            if untried.is_some() {
                break;
            }
        }
        let mut done = self.one_by_one(networks).await;
        if !done.troubles.is_empty() {
            // Otherwise there was no bad rule, and nothing to be found by trials.
            done.troubles.extend(untried);
        }
        done
    }

    /// Finds the rules that are not taken among those of the networks that change.
    async fn sift(&mut self, wanted: &Wanted, changes: &[Change]) -> Result<(), Trouble> {
        let unusable = |source| trouble("rules cannot be tried", source);
        self.firewall.check(&trial(&[])).await.map_err(unusable)?;
        let changed = changes.iter().filter_map(|change| wanted.get(&change.network?));
        let mut sieve = Sieve::new(changed.flat_map(|network| network.rules.iter().cloned()));
        while let Some(rules) = sieve.due() {
            match self.firewall.check(&trial(rules)).await {
                Ok(()) => sieve.taken(),
                Err(FirewallError::Refused { message }) => sieve.refused(&message),
                Err(error @ (FirewallError::Unusable(_) | FirewallError::Listing(_))) => {
                    return Err(unusable(error));
                }
            }
        }
        self.refused.extend(sieve.into_refused());
        self.renderer.forget();
        Ok(())
    }

    /// Changes one network after the other: what no trial could tell spoils only its own.
    ///
    /// An nft that hangs, or cannot be had, is not waited for once for each: it ends there, and next time the
    /// others come first.
    async fn one_by_one(&mut self, networks: &Shared<Vni, Network>) -> Done {
        let mut changes = match self.plan(networks).await {
            Ok((_, changes)) => changes,
            Err(trouble) => return trouble.into(),
        };
        changes.sort_by_key(|change| change.network.is_some_and(|vni| self.late.contains(&vni)));
        let (mut changed, mut troubles) = (0, Vec::new());
        for change in changes {
            let Err(source) = self.firewall.apply(&change.commands).await else {
                changed += usize::from(change.network.is_some());
                continue;
            };
            let of_no_use = !matches!(source, FirewallError::Refused { .. });
            let what = "the firewall stays as it was";
            troubles.push(Trouble { network: change.network, what, source });
            self.late.extend(change.network.filter(|_| of_no_use));
            // Without the table there is nothing for the networks to be in.
            if of_no_use || change.network.is_none() {
                break;
            }
        }
        if troubles.is_empty() {
            self.late.clear();
        }
        self.seen = None;
        Done { changed, troubles }
    }

    /// Forgets what nft said of rules that nobody wants any more.
    fn forget_refused(&mut self, networks: &Shared<Vni, Network>) {
        if self.refused.is_empty() {
            return;
        }
        let rules = networks
            .values()
            .flat_map(|network| network.rules_in.values().chain(network.rules_out.values()));
        let texts: BTreeSet<RuleText> =
            rules.filter_map(|rule| rule.rule.get()?.parse().ok()).collect();
        self.refused.retain(|text, _| texts.contains(text));
    }

    /// Tells people of what is left out or went wrong. Returns whether all is told.
    async fn tell(&mut self, view: &View, troubles: &[Trouble]) -> bool {
        let wanted = self.renderer.render(&view.networks, &self.refused);
        let findings = findings::findings(&view.networks, &wanted, troubles);
        let before = std::mem::take(&mut self.report);
        self.report = Report {
            networks: wanted.len(),
            changed: 0,
            omitted: findings.iter().map(|finding| finding.message.clone()).collect(),
            trouble: troubles.iter().map(findings::said).collect(),
        };
        let said = self.report.omitted.iter().chain(&self.report.trouble);
        let before: Vec<&String> = before.omitted.iter().chain(&before.trouble).collect();
        for new in said.filter(|said| !before.contains(said)) {
            tracing::error!("firewall: {new}");
        }
        let health = findings::of_node(wanted.len(), troubles);
        let published = self.health.publish(CHECK, health, vec![]).await;
        if let Err(error) = &published {
            tracing::debug!(%error, "how the firewall is doing is not published yet");
        }
        if in_maintenance(view) {
            // Faults are told once that is over.
            self.faults.doubt();
            return published.is_ok();
        }
        let told = self.faults.tell(&findings).await;
        if let Err(error) = &told {
            tracing::debug!(%error, "faults of the firewall not told yet");
        }
        told.is_ok() && published.is_ok()
    }
}

fn trouble(what: &'static str, source: FirewallError) -> Trouble {
    Trouble { network: None, what, source }
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl<T: Tree, F: Firewall> Reconciler for FirewallKeeper<T, F> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "firewall";
    const PERIOD: Duration = LOOK_EVERY;

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        let now = Instant::now();
        if let Some(rest) = self.rest.as_ref().filter(|rest| rest.is_for(&view) && now < rest.until)
        {
            return Outcome { report: self.report.clone(), wake_at: Some(rest.until) };
        }
        if self.looked_at.is_none_or(|at| at + LOOK_EVERY <= now) {
            self.seen = None;
            self.faults.doubt();
        }
        self.forget_refused(&view.networks);
        let Done { changed, troubles } = self.bring_in_line(&view.networks).await;
        if changed > 0 {
            let took_ms = now.elapsed().as_millis();
            tracing::info!(took_ms, "firewall: {changed} networks changed");
        }
        let told = self.tell(&view, &troubles).await;
        self.report.changed = changed;
        // What concerns one network alone takes long to find out, and hardly ends by itself.
        let is_local = troubles.iter().all(|trouble| trouble.network.is_some());
        let until = match self.looked_at {
            Some(looked_at) if told && is_local => (looked_at + LOOK_EVERY).max(now + RETRY),
            Some(_) | None => now + RETRY,
        };
        let networks = view.networks.clone();
        self.rest = Some(Rest { networks, maintenance: in_maintenance(&view), until });
        Outcome { report: self.report.clone(), wake_at: Some(until) }
    }
}
