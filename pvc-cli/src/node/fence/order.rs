//! `pvc node fence start`, `confirm-dead` and `cancel`.

use clap::Args;
use pvc_client::{Request, call};
use pvc_common::api::Fence;

use crate::failure::Outcome;
use crate::options::{Consent, Wait};
use crate::session::Session;
use crate::shell::Shell;
use crate::wait::{self, FenceGoal};

/// Have a node fenced, whoever hears it.
///
/// It is switched off by its BMC, or proved dead otherwise, and its VMs start on other nodes:
/// whatever runs on it is cut off. To empty a node in order there is `pvc node flush`.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Node.
    #[arg(value_name = "NODE")]
    node: String,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    consent: Consent,
}

impl Start {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!(
            "Fence node \"{}\", so that it is switched off and every VM on it is cut off",
            self.node
        );
        let agreed = shell.confirm(&question, self.consent.yes)?;
        send(&session, &self.node, &call::node::order_fence(&self.node, &agreed), self.wait).await
    }
}

/// Say that a node is dead, which is taken as proof.
///
/// Its VMs start on other nodes at once. If it still runs, they run twice and destroy their data:
/// pull its plug or see with your own eyes that it is off. The node must be in the midst of
/// being fenced, or its daemon not in state run.
#[derive(Debug, Args)]
pub(crate) struct ConfirmDead {
    /// Node.
    #[arg(value_name = "NODE")]
    pub(super) node: String,
    #[command(flatten)]
    pub(super) wait: Wait,
    #[command(flatten)]
    pub(super) consent: Consent,
}

impl ConfirmDead {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!(
            "Have you seen to it that node \"{0}\" is off? If it is not, its VMs run twice and \
             destroy their data. Take node \"{0}\" for dead",
            self.node
        );
        let agreed = shell.confirm_by_name(&question, &self.node, self.consent.yes)?;
        send(&session, &self.node, &call::node::confirm_dead(&self.node, &agreed), self.wait).await
    }
}

/// Take back an order about a fence that nobody has acted on.
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// Node.
    #[arg(value_name = "NODE")]
    node: String,
}

impl Cancel {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        session.tell(&call::node::cancel_fence(&self.node)).await
    }
}

async fn send(session: &Session, node: &str, request: &Request, wait: Wait) -> Outcome {
    if !wait.wait {
        return session.tell(request).await;
    }
    // Read before, so that an earlier fence is not taken for this one.
    let known: Vec<Fence> = session.read(&call::node::fences(Some(node), None)).await?;
    let goal = FenceGoal::new(node, &known);
    session.out.note(&session.act(request).await?);
    wait::until(session, goal).await
}
