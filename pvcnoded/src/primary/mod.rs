//! This coordinator's part in being primary: the shell around `pvc_plan::primary`.
//!
//! Invariant: whatever a step waits for, the addresses are laid down when the ensemble has been
//! silent for too long: every step and every look is given up then, and the next activation
//! begins with that. And what the addresses do not need is not waited for once they are to go.

mod contact;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::state::{CoordinatorState, DaemonState};
use pvc_common::view::View;
use pvc_common::zk::{Seen, key};
use pvc_plan::primary::{Held, Holding, Phase, Plan, Situation, Step, TOUCH, plan};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::{CommitError, Tree};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::health::Trouble;

use contact::Contact;

pub use trouble::Troubles;

/// How long after a failed step it is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long after it was out of touch it looks whether it still is.
const OUT_OF_TOUCH: Duration = Duration::from_millis(200);

/// Why a part of the outfit could not be had or laid down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct OutfitError {
    /// What was tried and on what it failed.
    pub what: String,
}

/// What was seen of an outfit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// What this machine has now. A part that cannot be looked at is not all here, and counts as
    /// perhaps here unless it was seen absent, or laid down, before.
    pub held: Held,
    /// Why parts could not be looked at.
    pub trouble: Vec<OutfitError>,
}

/// What a primary has. Every call is bounded and idempotent.
pub trait Outfit: Send + 'static {
    /// What this machine has now. One part that cannot be looked at hides no other.
    fn held(&self) -> impl Future<Output = Sight> + Send;
    /// Has every part of a phase here. One that fails keeps no other from being had.
    fn take_up(&self, phase: Phase) -> impl Future<Output = Result<(), OutfitError>> + Send;
    /// Has no part of a phase here. One that fails keeps no other from being laid down.
    fn lay_down(&self, phase: Phase) -> impl Future<Output = Result<(), OutfitError>> + Send;
}

impl<O: Outfit + Sync> Outfit for Arc<O> {
    async fn held(&self) -> Sight {
        O::held(self).await
    }

    async fn take_up(&self, phase: Phase) -> Result<(), OutfitError> {
        O::take_up(self, phase).await
    }

    async fn lay_down(&self, phase: Phase) -> Result<(), OutfitError> {
        O::lay_down(self, phase).await
    }
}

/// Lays down all that a primary has, in order, once no [`PrimaryKeeper`] is at work any more.
///
/// # Errors
/// When there may be addresses left. Of all else that fails is only told in the log.
pub(crate) async fn let_go<O: Outfit>(outfit: &O) -> Result<(), OutfitError> {
    for phase in Phase::DOWN {
        let done = outfit.lay_down(phase).await;
        if Step::LayDown(phase).must_succeed() {
            done?;
        } else if let Err(error) = done {
            tracing::warn!("primary: {error}");
        }
    }
    Ok(())
}

/// Makes this coordinator primary, or not.
pub struct PrimaryKeeper<T, O> {
    me: NodeName,
    tree: T,
    outfit: O,
    views: watch::Receiver<Option<Arc<View>>>,
    contact: Contact,
    troubles: Troubles,
    /// Whether any of the addresses was, or may have been, here at the last look.
    addresses: bool,
    told: Told,
    looked: Option<Look>,
}

/// What was logged last, so that it is not logged again.
#[derive(Default)]
struct Told {
    waiting_for: Option<NodeName>,
    out_of_touch: bool,
    /// What was done without seeing whether it had to be: out of touch, the addresses are laid
    /// down at every look, and what cannot be looked at is taken up again and again.
    blindly_done: BTreeMap<Phase, &'static str>,
    /// A database that has no leader has none for a while, and is asked for it every second.
    trouble: Trouble,
    /// Since when the lead is asked for in vain, and what of the trouble was told in passing for that reason:
    /// an ordinary switch takes a moment of it.
    unled: Option<Instant>,
    in_passing: Trouble,
}

/// The outfit as it was last looked at. Looking costs a program per service, and the view
/// changes several times a second for reasons that have nothing to do with it.
struct Look {
    at: Instant,
    part: Part,
    sight: Sight,
}

/// This node's part as the view has it.
type Part = (Seen<CoordinatorState>, Seen<Option<NodeName>>);

/// What an activation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Steps done.
    pub done: usize,
    /// The coordinator that has to let go first.
    pub waiting_for: Option<NodeName>,
    /// Whether it holds no addresses because nobody is heard.
    pub out_of_touch: bool,
    /// On what it failed.
    pub trouble: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} steps done", self.done)?;
        if let Some(node) = &self.waiting_for {
            write!(f, ", waiting for {node} to let go")?;
        }
        if self.out_of_touch {
            write!(f, ", out of touch with ZooKeeper")?;
        }
        match &self.trouble {
            Some(trouble) => write!(f, ", failed: {trouble}"),
            None => Ok(()),
        }
    }
}

/// What a node may have that cannot be looked at.
const UNSEEN: Held = {
    const PERHAPS: Holding = Holding { any: true, all: false };
    Held { addresses: PERHAPS, leader: PERHAPS, services: PERHAPS }
};

/// What a step does to a phase, for people.
const fn deed(step: &Step) -> Option<(Phase, &'static str)> {
    match step {
        Step::Write { .. } => None,
        Step::TakeUp(phase) => Some((*phase, "taken up")),
        Step::LayDown(phase) => Some((*phase, "laid down")),
    }
}

/// How a step ended that did not succeed.
enum Stopped {
    Superseded,
    OutOfTouch,
    Failed(String),
}

impl<T: Tree, O: Outfit + Sync> PrimaryKeeper<T, O> {
    /// A keeper that has done nothing yet. By `views` it sees what changes while it is at work; to `troubles`
    /// it tells what is amiss.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(
        me: NodeName,
        tree: T,
        outfit: O,
        views: watch::Receiver<Option<Arc<View>>>,
        troubles: Troubles,
    ) -> Self {
        let (contact, told) = (Contact::new(tree.clone()), Told::default());
        Self { me, tree, outfit, views, contact, troubles, addresses: false, told, looked: None }
    }

    /// Performs a step, unless the ensemble falls silent meanwhile, or what is to be had is to be had
    /// elsewhere.
    async fn perform(&self, step: Step) -> Result<(), Stopped> {
        let takes_up = matches!(step, Step::TakeUp(_));
        match step {
            // What is done when the ensemble is silent is not given up because it is.
            Step::LayDown(Phase::Addresses) => self.act(step).await,
            Step::Write { .. } | Step::TakeUp(_) | Step::LayDown(_) => tokio::select! {
                biased;
                () = self.contact.lost() => Err(Stopped::OutOfTouch),
                () = self.called_off(), if takes_up => Err(Stopped::Superseded),
                done = self.act(step) => done,
            },
        }
    }

    /// Returns when another node is to be primary, or nobody, or this daemon is to stop.
    async fn called_off(&self) {
        let stays = |view: &View| {
            let named = view.cluster.primary_node.get().and_then(Option::as_ref);
            let own = view.nodes.get(&self.me).and_then(|own| own.daemon_state.copied());
            named == Some(&self.me) && own != Some(DaemonState::Shutdown)
        };
        let mut views = self.views.clone();
        let called_off = views.wait_for(|view| view.as_ref().is_some_and(|view| !stays(view)));
        let nobody_tells = called_off.await.is_err();
        if nobody_tells {
            pending().await
        }
    }

    async fn act(&self, step: Step) -> Result<(), Stopped> {
        let begun = Instant::now();
        let deed = deed(&step);
        let done = match step {
            Step::Write { goal, ops } => {
                return match self.tree.commit(ops).await {
                    Ok(()) => {
                        self.contact.heard(begun);
                        tracing::info!(node.name = %self.me, "primary: {goal}");
                        Ok(())
                    }
                    Err(CommitError::Superseded { .. }) => Err(Stopped::Superseded),
                    Err(error) => Err(Stopped::Failed(format!("could not {goal}: {error}"))),
                };
            }
            Step::TakeUp(phase) => self.outfit.take_up(phase).await,
            Step::LayDown(phase) => self.outfit.lay_down(phase).await,
        };
        done.map_err(|error| Stopped::Failed(error.to_string()))?;
        let elapsed_ms = begun.elapsed().as_millis();
        if let Some((phase, how)) =
            deed.filter(|(phase, how)| self.told.blindly_done.get(phase) != Some(how))
        {
            tracing::info!(node.name = %self.me, elapsed_ms, "primary: {phase} {how}");
        }
        Ok(())
    }

    /// What this machine has now; looked at again when its part changes, and now and then. `None`
    /// if the ensemble falls silent meanwhile.
    ///
    /// While the part is handed over nothing is decided by what is here. A look would only keep
    /// the addresses from being anywhere until it is done: it takes 100 ms and more.
    async fn look(&mut self, view: &View) -> Option<Sight> {
        let own = view.nodes.get(&self.me).map(|node| node.coordinator_state.clone());
        let own = own.unwrap_or_default();
        let handed_over = match own.copied() {
            Some(CoordinatorState::Takeover | CoordinatorState::Relinquish) => true,
            Some(
                CoordinatorState::Primary | CoordinatorState::Secondary | CoordinatorState::Client,
            )
            | None => false,
        };
        let part = (own, view.cluster.primary_node.clone());
        let fresh =
            |look: &&Look| (handed_over || look.part == part) && look.at.elapsed() < Self::PERIOD;
        if let Some(look) = self.looked.as_ref().filter(fresh) {
            return Some(look.sight.clone());
        }
        let sight = tokio::select! {
            biased;
            () = self.contact.lost() => return None,
            sight = self.outfit.held() => sight,
        };
        self.addresses = sight.held.addresses.any;
        self.looked = Some(Look { at: Instant::now(), part, sight: sight.clone() });
        Some(sight)
    }

    /// Has the ensemble asked for as long as this node has, or is about to have, what only one
    /// may have.
    fn keep_in_touch(&self, view: &View) {
        let seat = &view.cluster.primary_node;
        let own = view.nodes.get(&self.me);
        let part = match own.and_then(|own| own.coordinator_state.copied()) {
            Some(
                CoordinatorState::Takeover
                | CoordinatorState::Primary
                | CoordinatorState::Relinquish,
            ) => true,
            Some(CoordinatorState::Secondary | CoordinatorState::Client) | None => false,
        };
        let mut question = Vec::new();
        if part || self.addresses {
            question.extend(key::primary_node().check(seat));
            question.extend(own.into_iter().flat_map(|own| {
                let part = key::node_coordinator_state(&self.me).check(&own.coordinator_state);
                // Who is condemned holds nothing, though it is named until its death is proved.
                let life = key::node_daemon_state(&self.me).check(&own.daemon_state);
                [part, life].into_iter().flatten()
            }));
        }
        self.contact.ask(question);
    }

    fn tell(&mut self, plan: &Plan) {
        let Told { waiting_for, out_of_touch, .. } = &mut self.told;
        if let Some(node) = plan.waiting_for.as_ref().filter(|_| *waiting_for != plan.waiting_for) {
            tracing::info!(node.name = %self.me, "primary: waiting for {node} to let go");
        }
        waiting_for.clone_from(&plan.waiting_for);
        if *out_of_touch != plan.out_of_touch {
            let limit_ms = TOUCH.as_millis();
            if plan.out_of_touch {
                tracing::warn!(node.name = %self.me, limit_ms,
                    "primary: ZooKeeper is not heard, so another node may be primary: \
                     no addresses are held");
            } else {
                tracing::info!(node.name = %self.me, "primary: ZooKeeper is heard again");
            }
            *out_of_touch = plan.out_of_touch;
        }
    }

    /// Takes note of a trouble, and tells of it unless that was done the last time.
    fn complain(&self, why: String, report: &mut Report, trouble: &mut Trouble) {
        if !self.told.trouble.contains(&why) || self.told.in_passing.contains(&why) {
            tracing::warn!("primary: {why}");
        }
        trouble.insert(why.clone());
        report.trouble = Some(why);
    }

    /// The same of one that is none unless it lasts.
    fn mention(&self, why: String, report: &mut Report, trouble: &mut Trouble) {
        if !self.told.trouble.contains(&why) {
            tracing::info!("primary: {why}");
        }
        trouble.insert(why.clone());
        report.trouble = Some(why);
    }

    /// Performs a plan as far as it goes. It was made without having seen what is `unseen`.
    async fn run(&mut self, plan: Plan, unseen: Vec<OutfitError>) -> Report {
        let Plan { steps, waiting_for, out_of_touch } = plan;
        let mut report = Report { done: 0, waiting_for, out_of_touch, trouble: None };
        let blind = out_of_touch || !unseen.is_empty();
        if !blind {
            self.told.blindly_done.clear();
        }
        let (mut trouble, mut in_passing, mut unled) = (Trouble::new(), Trouble::new(), None);
        for OutfitError { what } in unseen {
            self.complain(what, &mut report, &mut trouble);
        }
        for step in steps {
            let (must_succeed, deed) = (step.must_succeed(), deed(&step));
            // What is written changes nothing that is here.
            if deed.is_some() {
                self.looked = None;
            }
            let leads = matches!(step, Step::TakeUp(Phase::Leader));
            match self.perform(step).await {
                Ok(()) => {
                    report.done += 1;
                    self.told.blindly_done.extend(deed.filter(|_| blind));
                }
                Err(Stopped::Superseded) => break,
                Err(Stopped::OutOfTouch) => {
                    report.out_of_touch = true;
                    break;
                }
                Err(Stopped::Failed(why)) if leads && self.is_early(&mut unled) => {
                    in_passing.insert(why.clone());
                    self.mention(why, &mut report, &mut trouble);
                }
                Err(Stopped::Failed(why)) => {
                    self.complain(why, &mut report, &mut trouble);
                    if must_succeed {
                        break;
                    }
                }
            }
        }
        self.troubles.tell(Self::NAME, &trouble);
        self.told.trouble = trouble;
        (self.told.in_passing, self.told.unled) = (in_passing, unled);
        report
    }

    /// Whether the lead has not been asked for in vain for long yet; since when goes to `unled`.
    fn is_early(&self, unled: &mut Option<Instant>) -> bool {
        let since = self.told.unled.unwrap_or_else(Instant::now);
        *unled = Some(since);
        since.elapsed() < trouble::PATIENCE
    }

    /// When to look again although nothing changes.
    fn wake_at(&self, report: &Report) -> Option<Instant> {
        let now = Instant::now();
        if report.out_of_touch {
            // Given up for the silence, and not yet begun with what has to be done then.
            let begun = self.told.out_of_touch;
            return Some(if begun { now + OUT_OF_TOUCH } else { now });
        }
        let again = report.trouble.as_ref().map(|_| now + AGAIN);
        again.into_iter().chain(self.contact.until()).min()
    }
}

impl<T: Tree, O: Outfit + Sync> Reconciler for PrimaryKeeper<T, O> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "primary";
    const PERIOD: Duration = Duration::from_secs(5);

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        self.keep_in_touch(&view);
        let sight = self.look(&view).await;
        // Only now it may be known that there is something to hold.
        self.keep_in_touch(&view);
        let silence = self.contact.silence();
        let (held, unseen) = match sight {
            Some(Sight { held, trouble }) => (Some(held), trouble),
            // What cannot be seen may be there: it can be laid down all the same.
            None => ((silence >= TOUCH).then_some(UNSEEN), Vec::new()),
        };
        let situation = |held| Situation { me: &self.me, view: &view, held, silence };
        let plan = held.map(|held| plan(&situation(held))).unwrap_or_default();
        self.tell(&plan);
        let report = self.run(plan, unseen).await;
        let wake_at = self.wake_at(&report);
        Outcome { report, wake_at }
    }
}
