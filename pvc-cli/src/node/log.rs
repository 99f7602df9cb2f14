//! `pvc node log`.

use clap::Args;
use pvc_client::call;

use super::place::Place;
use crate::failure::Outcome;
use crate::follow::LogOptions;
use crate::shell::Shell;

/// Show the log of a node, in a pager.
#[derive(Debug, Args)]
pub(crate) struct Log {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    options: LogOptions,
}

impl Log {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let node = self.place.name()?;
        let session = shell.connect()?;
        self.options.show(&session, |lines| call::node::log(&node, lines)).await
    }
}
