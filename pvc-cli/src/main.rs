//! `pvc`: the command line client of a PVC cluster.
//!
//! One variant per noun; the noun's module owns its verbs. `--help`, `--version` and wrong
//! usage end while the arguments are parsed, before anything else is set up.

mod argv;
mod audit;
mod cluster;
mod completion;
mod connection;
mod failure;
mod follow;
mod foreground;
mod format;
#[cfg(test)]
mod golden;
mod man;
mod network;
mod node;
mod options;
mod out;
mod paint;
mod session;
mod shell;
mod show;
mod storage;
mod store;
mod vm;
mod wait;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::{Failure, Outcome};
use crate::options::Options;
use crate::shell::Shell;

/// What the help says beside the options.
const ENVIRONMENT: &str = "\
Environment:
  PVC_CLIENT_DIR         Directory of the store of connections [default: ~/.config/pvc]
  PVC_CLIENT_DB_PERMS    Octal mode that a new store gets [default: 600]
  PVC_CLIENT_VERIFY_SSL  Whether certificates must be valid: True, or anything else [default: True]
  PVC_CONFIG_FILE        Configuration that tells of this machine's own API
                         [default: /etc/pvc/pvcapid.yaml, else /etc/pvc/pvc.conf]
  PAGER                  Program that shows logs [default: less -R]
  VISUAL, EDITOR         Program that edits definitions [default: vi]

Exit codes:
  0  Done, or answered with no
  1  Failed, or the answer of a question such as `node is-primary` is no
  2  The command line makes no sense";

/// Manages a cluster of hypervisors: its nodes, its VMs and what they need.
#[derive(Debug, Parser)]
#[command(
    name = "pvc",
    version,
    display_name = "Parallel Virtual Cluster CLI client version",
    subcommand_required = true,
    arg_required_else_help = true,
    after_long_help = ENVIRONMENT
)]
pub(crate) struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// Virtual machines.
    #[command(subcommand)]
    Vm(vm::Verb),
    /// Hypervisors.
    #[command(subcommand)]
    Node(node::Verb),
    /// Networks of VMs, their addresses and their firewall.
    #[command(subcommand)]
    Network(network::Verb),
    /// Storage: OSDs, pools, volumes and their snapshots.
    #[command(subcommand)]
    Storage(storage::Verb),
    /// The cluster as a whole.
    #[command(subcommand)]
    Cluster(cluster::Verb),
    /// Clusters this client knows.
    #[command(subcommand)]
    Connection(connection::Verb),
    Completion(completion::Completion),
    /// Write the manual pages into a directory.
    #[command(hide = true)]
    Man(man::Man),
}

impl Noun {
    async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Vm(verb) => verb.run(shell).await,
            Self::Node(verb) => verb.run(shell).await,
            Self::Network(verb) => verb.run(shell).await,
            Self::Storage(verb) => verb.run(shell).await,
            Self::Cluster(verb) => verb.run(shell).await,
            Self::Connection(verb) => verb.run(shell).await,
            Self::Completion(completion) => completion.run(shell),
            Self::Man(man) => man.run(),
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    audit::record(&arguments);
    let cli = Cli::parse_from(argv::spell_out(arguments));
    let shell = Shell::new(cli.options);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(cli.noun.run(&shell)),
        Err(error) => Err(Failure::new(format!("Failed to start: {error}"))),
    };
    shell.out.end(outcome)
}
