//! `pvc node primary` and `pvc node secondary`: who leads the coordinators.

use clap::Args;
use pvc_client::call;

use super::place::Place;
use crate::failure::Outcome;
use crate::options::Wait;
use crate::shell::Shell;
use crate::wait::{self, NodeGoal};

/// Make a node the primary coordinator.
///
/// The cluster's addresses and its API move there.
#[derive(Debug, Args)]
pub(crate) struct Primary {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wait: Wait,
}

impl Primary {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let node = self.place.name()?;
        set(shell, &node, "primary", self.wait, NodeGoal::primary(&node)).await
    }
}

/// Have a node give up being the primary coordinator.
///
/// Another coordinator takes over.
#[derive(Debug, Args)]
pub(crate) struct Secondary {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    wait: Wait,
}

impl Secondary {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let node = self.place.name()?;
        set(shell, &node, "secondary", self.wait, NodeGoal::secondary(&node)).await
    }
}

async fn set(shell: &Shell, node: &str, state: &str, wait: Wait, goal: NodeGoal) -> Outcome {
    let session = shell.connect()?;
    let request = call::node::set_coordinator_state(node, state);
    if !wait.wait {
        return session.tell(&request).await;
    }
    shell.out.note(&session.act(&request).await?);
    wait::until(&session, goal).await
}
