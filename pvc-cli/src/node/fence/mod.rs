//! `pvc node fence`: the death of nodes.

#[cfg(test)]
mod golden;
mod list;
mod order;
mod show;

use clap::{Args, Subcommand};

use crate::failure::{Failure, Outcome};
use crate::options::{Consent, Wait};
use crate::shell::Shell;

/// Fences: nodes that are, were or shall be proved dead, so that their VMs run elsewhere.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(crate) struct Fence {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// The same as `pvc node fence confirm-dead NODE`.
    #[arg(long, value_name = "NODE")]
    confirm_dead: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(list::List),
    Show(show::Show),
    Start(order::Start),
    ConfirmDead(order::ConfirmDead),
    Cancel(order::Cancel),
}

impl Fence {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match (self.verb, self.confirm_dead) {
            (Some(Verb::List(verb)), _) => verb.run(shell).await,
            (Some(Verb::Show(verb)), _) => verb.run(shell).await,
            (Some(Verb::Start(verb)), _) => verb.run(shell).await,
            (Some(Verb::ConfirmDead(verb)), _) => verb.run(shell).await,
            (Some(Verb::Cancel(verb)), _) => verb.run(shell).await,
            (None, Some(node)) => {
                let wait = Wait { wait: false };
                order::ConfirmDead { node, wait, consent: self.consent }.run(shell).await
            }
            (None, None) => Err(Failure::usage("Nothing was said to do about fences.")
                .hint("`pvc node fence --help` shows what can be done.")),
        }
    }
}
