//! `pvc node flush` and `pvc node ready`: out of service and back.

use clap::Args;
use pvc_client::call;

use super::place::Place;
use crate::failure::Outcome;
use crate::options::Wait;
use crate::shell::Shell;
use crate::wait::{self, NodeGoal};

/// Take a node out of service: its VMs move to other nodes.
///
/// `pvc node ready` cancels it at any time.
#[derive(Debug, Args)]
pub(crate) struct Flush {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wait: Wait,
}

impl Flush {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let node = self.place.name()?;
        set(shell, &node, "flush", self.wait, NodeGoal::flushed(&node)).await
    }
}

/// Bring a node back into service: its VMs come home.
#[derive(Debug, Args)]
pub(crate) struct Ready {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wait: Wait,
}

impl Ready {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let node = self.place.name()?;
        set(shell, &node, "ready", self.wait, NodeGoal::ready(&node)).await
    }
}

async fn set(shell: &Shell, node: &str, state: &str, wait: Wait, goal: NodeGoal) -> Outcome {
    let session = shell.connect()?;
    let request = call::node::set_domain_state(node, state);
    if !wait.wait {
        return session.tell(&request).await;
    }
    shell.out.note(&session.act(&request).await?);
    wait::until(&session, goal).await
}
