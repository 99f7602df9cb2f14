//! This coordinator's part in being primary: the shell around `pvc_plan::primary`.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::NodeName;
use pvc_common::state::CoordinatorState;
use pvc_common::view::View;
use pvc_common::zk::Seen;
use pvc_plan::primary::{Situation, Step, plan};
use pvc_runtime::reconcile::{Outcome, Reconciler};
use pvc_zk::{CommitError, Tree};
use tokio::time::Instant;

/// How long after a failed step it is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// What of the primary's outfit this machine has now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Any of the floating addresses.
    pub some_addresses: bool,
    /// All of the floating addresses.
    pub all_addresses: bool,
    /// Any of the services.
    pub some_services: bool,
    /// All of the services.
    pub all_services: bool,
}

/// Why a part of the outfit could not be had or laid down.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct OutfitError {
    /// What was tried and on what it failed.
    pub what: String,
}

/// What a primary has: floating addresses and services. Every call is bounded and idempotent.
pub trait Outfit: Send + 'static {
    /// What this machine has now.
    fn held(&self) -> impl Future<Output = Result<Held, OutfitError>> + Send;
    /// Holds the floating addresses and tells the neighbours.
    fn acquire_addresses(&self) -> impl Future<Output = Result<(), OutfitError>> + Send;
    /// Gives the floating addresses up.
    fn drop_addresses(&self) -> impl Future<Output = Result<(), OutfitError>> + Send;
    /// Runs the services of the primary.
    fn start_services(&self) -> impl Future<Output = Result<(), OutfitError>> + Send;
    /// Ends the services of the primary.
    fn stop_services(&self) -> impl Future<Output = Result<(), OutfitError>> + Send;
}

/// Makes this coordinator primary, or not.
pub struct PrimaryKeeper<T, O> {
    me: NodeName,
    tree: T,
    outfit: O,
    waiting_for: Option<NodeName>,
    looked: Option<Look>,
}

/// The outfit as it was last looked at. Looking costs a program per service, and the view
/// changes several times a second for reasons that have nothing to do with it.
struct Look {
    at: Instant,
    part: Part,
    held: Held,
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
    /// On what it failed.
    pub trouble: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} steps done", self.done)?;
        if let Some(node) = &self.waiting_for {
            write!(f, ", waiting for {node} to let go")?;
        }
        match &self.trouble {
            Some(trouble) => write!(f, ", failed: {trouble}"),
            None => Ok(()),
        }
    }
}

/// How a step ended that did not succeed.
enum Stopped {
    Superseded,
    Failed(String),
}

impl<T: Tree, O: Outfit + Sync> PrimaryKeeper<T, O> {
    /// A keeper that has done nothing yet.
    pub const fn new(me: NodeName, tree: T, outfit: O) -> Self {
        Self { me, tree, outfit, waiting_for: None, looked: None }
    }

    async fn perform(&self, step: Step) -> Result<(), Stopped> {
        let outfit = match step {
            Step::Write { goal, ops } => {
                return match self.tree.commit(ops).await {
                    Ok(()) => {
                        tracing::info!(node.name = %self.me, "primary: {goal}");
                        Ok(())
                    }
                    Err(CommitError::Superseded { .. }) => Err(Stopped::Superseded),
                    Err(error) => Err(Stopped::Failed(format!("could not {goal}: {error}"))),
                };
            }
            Step::AcquireAddresses => self.outfit.acquire_addresses().await,
            Step::DropAddresses => self.outfit.drop_addresses().await,
            Step::StartServices => self.outfit.start_services().await,
            Step::StopServices => self.outfit.stop_services().await,
        };
        outfit.map_err(|error| Stopped::Failed(error.to_string()))
    }

    /// What this machine has now; looked at again when its part changes, and now and then.
    async fn look(&mut self, view: &View) -> Result<Held, OutfitError> {
        let own = view.nodes.get(&self.me).map(|node| node.coordinator_state.clone());
        let part = (own.unwrap_or_default(), view.cluster.primary_node.clone());
        let fresh = |look: &&Look| look.part == part && look.at.elapsed() < Self::PERIOD;
        if let Some(look) = self.looked.as_ref().filter(fresh) {
            return Ok(look.held);
        }
        let held = self.outfit.held().await?;
        self.looked = Some(Look { at: Instant::now(), part, held });
        Ok(held)
    }

    fn report_wait(&mut self, waiting_for: Option<NodeName>) {
        if let Some(node) = waiting_for.as_ref().filter(|_| self.waiting_for != waiting_for) {
            tracing::info!(node.name = %self.me, "primary: waiting for {node} to let go");
        }
        self.waiting_for = waiting_for;
    }
}

impl<T: Tree, O: Outfit + Sync> Reconciler for PrimaryKeeper<T, O> {
    type View = View;
    type Report = Report;

    const NAME: &'static str = "primary";
    const PERIOD: Duration = Duration::from_secs(5);

    async fn reconcile(&mut self, view: Arc<View>) -> Outcome<Report> {
        let held = match self.look(&view).await {
            Ok(held) => held,
            Err(error) => return failed(0, None, error.to_string()),
        };
        let plan = plan(&Situation {
            me: &self.me,
            view: &view,
            has_addresses: held.some_addresses,
            has_all_addresses: held.all_addresses,
            has_services: held.some_services,
            has_all_services: held.all_services,
        });
        self.report_wait(plan.waiting_for.clone());
        let (mut done, mut trouble) = (0, None);
        for step in plan.steps {
            self.looked = None;
            let must_succeed = step.must_succeed();
            match self.perform(step).await {
                Ok(()) => done += 1,
                Err(Stopped::Superseded) => break,
                Err(Stopped::Failed(why)) => {
                    trouble = Some(why);
                    if must_succeed {
                        break;
                    }
                }
            }
        }
        match trouble {
            Some(why) => failed(done, plan.waiting_for, why),
            None => Outcome::settled(Report { done, waiting_for: plan.waiting_for, trouble: None }),
        }
    }
}

fn failed(done: usize, waiting_for: Option<NodeName>, why: String) -> Outcome<Report> {
    tracing::warn!("primary: {why}");
    let report = Report { done, waiting_for, trouble: Some(why) };
    Outcome { report, wake_at: Some(Instant::now() + AGAIN) }
}
