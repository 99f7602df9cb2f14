//! `pvc storage osd`: the devices that hold the data.

mod add;
mod create_db_vg;
mod ext_db;
#[cfg(test)]
mod golden;
mod list;
mod option;
mod refresh;
mod remove;
mod replace;
mod state;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::shell::Shell;

pub(crate) use create_db_vg::CreateDbVg;

/// OSDs: the devices that hold the data.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    CreateDbVg(CreateDbVg),
    Add(add::Add),
    Replace(replace::Replace),
    Refresh(refresh::Refresh),
    Remove(remove::Remove),
    In(state::In),
    Out(state::Out),
    Set(option::Set),
    Unset(option::Unset),
    List(list::List),
}

impl Verb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::CreateDbVg(verb) => verb.run(shell).await,
            Self::Add(verb) => verb.run(shell).await,
            Self::Replace(verb) => verb.run(shell).await,
            Self::Refresh(verb) => verb.run(shell).await,
            Self::Remove(verb) => verb.run(shell).await,
            Self::In(verb) => verb.run(shell).await,
            Self::Out(verb) => verb.run(shell).await,
            Self::Set(verb) => verb.run(shell).await,
            Self::Unset(verb) => verb.run(shell).await,
            Self::List(verb) => verb.run(shell).await,
        }
    }
}
