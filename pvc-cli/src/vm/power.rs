//! `pvc vm start`, `restart`, `shutdown`, `stop` and `disable`.

use clap::Args;
use pvc_client::{Request, call};

use crate::failure::Outcome;
use crate::options::{Consent, Wait};
use crate::session::Session;
use crate::shell::Shell;
use crate::wait::{self, Rest, VmGoal};

/// Start a VM.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// Start also a mirror of another cluster's VM.
    #[arg(long)]
    force: bool,
}

impl Start {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        session.tell(&call::vm::start(&self.vm, self.force)).await
    }
}

/// Shut a VM down and start it again.
#[derive(Debug, Args)]
pub(crate) struct Restart {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    consent: Consent,
}

impl Restart {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Restart virtual machine \"{}\"", self.vm);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        let done = format!("Restarted VM '{}'.", self.vm);
        let goal = VmGoal::state(&self.vm, Rest::Restarted, done);
        set(&session, &call::vm::restart(&self.vm, &agreed), self.wait, goal).await
    }
}

/// Shut a VM down.
///
/// A guest that takes too long is cut off; starting the VM meanwhile aborts the shutdown.
#[derive(Debug, Args)]
pub(crate) struct Shutdown {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    #[command(flatten)]
    wait: Wait,
    #[command(flatten)]
    consent: Consent,
}

impl Shutdown {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Shut down virtual machine \"{}\"", self.vm);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        let done = format!("Shut down VM '{}'.", self.vm);
        let goal = VmGoal::state(&self.vm, Rest::Stopped, done);
        set(&session, &call::vm::shutdown(&self.vm, &agreed), self.wait, goal).await
    }
}

/// Cut a VM off at once, without asking its guest.
#[derive(Debug, Args)]
pub(crate) struct Stop {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// Stop also a mirror of another cluster's VM.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    consent: Consent,
}

impl Stop {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Forcibly stop virtual machine \"{}\"", self.vm);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        session.tell(&call::vm::stop(&self.vm, self.force, &agreed)).await
    }
}

/// Shut a VM down and mark it as not wanted, so that it is no fault.
#[derive(Debug, Args)]
pub(crate) struct Disable {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// Cut the VM off rather than ask its guest; also a mirror of another cluster's VM.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    consent: Consent,
}

impl Disable {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let question = format!("Disable virtual machine \"{}\"", self.vm);
        let agreed = shell.confirm(&question, self.consent.yes)?;
        session.tell(&call::vm::disable(&self.vm, self.force, &agreed)).await
    }
}

async fn set(session: &Session, request: &Request, wait: Wait, goal: VmGoal) -> Outcome {
    if !wait.wait {
        return session.tell(request).await;
    }
    session.out.note(&session.act(request).await?);
    wait::until(session, goal).await
}
