//! `pvc node is-primary`.

use std::time::Duration;

use clap::Args;
use pvc_client::call;
use pvc_common::api::PrimaryNode;

use super::place::Place;
use crate::failure::{Failure, Outcome};
use crate::shell::Shell;

/// How often to ask while nobody can tell.
const INTERVAL: Duration = Duration::from_secs(1);

/// Tell by the exit code whether a node is the primary coordinator.
///
/// Exits with 0 if it is and with 1 if it is not, and waits while nobody can tell, as when
/// the role passes from one coordinator to another. Made for conditions of services: it
/// says nothing.
#[derive(Debug, Args)]
pub(crate) struct IsPrimary {
    #[command(flatten)]
    place: Place,
}

impl IsPrimary {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let node = self.place.name()?;
        let session = shell.connect_quietly()?;
        loop {
            if let Ok(answer) = session.client.send(&call::cluster::primary_node()).await
                && answer.status == 200
                && let Ok(primary) = answer.read::<PrimaryNode>()
            {
                return if primary.primary_node == node { Ok(()) } else { Err(Failure::Silent) };
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }
}
