//! `pvc vm move`, `migrate` and `unmigrate`.

use clap::Args;
use pvc_client::call::vm::Transfer;
use pvc_client::{Request, call};

use super::find;
use crate::failure::Outcome;
use crate::options::Wait;
use crate::session::Session;
use crate::shell::Shell;
use crate::wait::{self, VmGoal};

/// Move a VM to another node for good.
#[derive(Debug, Args)]
pub(crate) struct Move {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// Node to move to; chosen by the VM's node selector by default.
    #[arg(short, long, value_name = "NODE")]
    target: Option<String>,
    #[command(flatten)]
    wait: Wait,
    /// Move live or not at all.
    #[arg(long)]
    force_live: bool,
}

impl Move {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let transfer =
            Transfer { node: self.target.clone(), force: false, force_live: self.force_live };
        let request = call::vm::relocate(&self.vm, &transfer);
        send(&session, &self.vm, &request, self.wait, Target::Given(self.target)).await
    }
}

/// Move a VM to another node for the time being; it remembers where it came from.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    /// Node to move to; chosen by the VM's node selector by default.
    #[arg(short, long, value_name = "NODE")]
    target: Option<String>,
    /// Also when the VM is migrated already.
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    wait: Wait,
    /// Migrate live or not at all.
    #[arg(long)]
    force_live: bool,
}

impl Migrate {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let transfer =
            Transfer { node: self.target.clone(), force: self.force, force_live: self.force_live };
        let request = call::vm::migrate(&self.vm, &transfer);
        send(&session, &self.vm, &request, self.wait, Target::Given(self.target)).await
    }
}

/// Bring a migrated VM back to where it came from.
#[derive(Debug, Args)]
pub(crate) struct Unmigrate {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    #[command(flatten)]
    wait: Wait,
    /// Migrate live or not at all.
    #[arg(long)]
    force_live: bool,
}

impl Unmigrate {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::vm::unmigrate(&self.vm, self.force_live);
        send(&session, &self.vm, &request, self.wait, Target::Home).await
    }
}

/// Where a VM is to go.
enum Target {
    /// To this node, or wherever the cluster thinks best.
    Given(Option<String>),
    /// Where it came from.
    Home,
}

async fn send(
    session: &Session,
    name: &str,
    request: &Request,
    wait: Wait,
    target: Target,
) -> Outcome {
    if !wait.wait {
        return session.tell(request).await;
    }
    // Looked at before, because afterwards it is at its new node already.
    let before = find(session, name).await?;
    let target = match target {
        Target::Given(node) => node,
        Target::Home => Some(before.last_node).filter(|home| !home.is_empty()),
    };
    session.out.note(&session.act(request).await?);
    wait::until(session, VmGoal::node(name, target, &before.node)).await
}
