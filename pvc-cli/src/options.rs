//! Options that belong to every command, and groups that many share.

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

/// Options before the noun.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Cluster to connect to, by the name of its connection.
    #[arg(short, long, value_name = "NAME", env = "PVC_CONNECTION", hide_env_values = true)]
    pub(crate) connection: Option<String>,
    /// Show every request to the API on standard error.
    #[arg(short = 'v', long, env = "PVC_DEBUG", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(crate) debug: bool,
    /// Show no information beside the data.
    #[arg(short, long, env = "PVC_QUIET", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(crate) quiet: bool,
    /// Show nothing at all; only the exit code tells.
    #[arg(short, long, env = "PVC_SILENT", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(crate) silent: bool,
    /// Ask no questions: what was wished is done, and no VM is restarted but by --restart.
    #[arg(short = 'u', long, env = "PVC_UNSAFE", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(crate) r#unsafe: bool,
    /// Use colours even when the output is not a terminal.
    #[arg(long, visible_alias = "color", env = "PVC_COLOUR", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(crate) colour: bool,
}

/// `-y`: the person has been asked already.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Consent {
    /// Do not ask for confirmation.
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// `-w`: stay until it is done.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Wait {
    /// Wait until it is done, and fail if it fails.
    #[arg(short, long)]
    pub(crate) wait: bool,
}

/// `--wait` and `--no-wait` of commands that begin a task.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct TaskWait {
    /// Wait until the task is finished, and fail if it fails (the default).
    #[arg(long, conflicts_with = "no_wait")]
    wait: bool,
    /// Leave the task to itself; `pvc cluster task` waits for it later.
    #[arg(long, conflicts_with = "wait")]
    no_wait: bool,
}

impl TaskWait {
    /// Whether to stay until the task's end.
    pub(crate) const fn is_wanted(self) -> bool {
        self.wait || !self.no_wait
    }
}

/// `-l` and `-L`: whether a running VM gets a change of its devices at once.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Live {
    /// Change the running VM, too (the default).
    #[arg(short, long, conflicts_with = "no_live")]
    live: bool,
    /// Change the definition only.
    #[arg(short = 'L', long, conflicts_with = "live")]
    no_live: bool,
}

impl Live {
    /// Whether to change the running VM.
    pub(crate) const fn is_wanted(self) -> bool {
        self.live || !self.no_live
    }
}

/// `-r` and `-R`: whether to apply a change at once.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Restart {
    /// Restart the VM to apply the change.
    #[arg(short, long, conflicts_with = "no_restart")]
    restart: bool,
    /// Apply the change at the next start of the VM.
    #[arg(short = 'R', long, conflicts_with = "restart")]
    no_restart: bool,
}

impl Restart {
    /// What was said, if anything.
    pub(crate) const fn choice(self) -> Option<bool> {
        choice(self.restart, self.no_restart)
    }
}

/// `-a` and `-A`: whether a VM starts with its node.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Autostart {
    /// Start the VM when its node becomes ready.
    #[arg(short, long, conflicts_with = "no_autostart")]
    autostart: bool,
    /// Do not start the VM when its node becomes ready.
    #[arg(short = 'A', long, conflicts_with = "autostart")]
    no_autostart: bool,
}

impl Autostart {
    /// What was said, if anything.
    pub(crate) const fn choice(self) -> Option<bool> {
        choice(self.autostart, self.no_autostart)
    }
}

const fn choice(yes: bool, no: bool) -> Option<bool> {
    match (yes, no) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

/// By which measure a node is chosen for a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Selector {
    /// The cluster's default.
    None,
    /// The most free memory.
    Mem,
    /// The most memory not yet promised to any VM.
    Memprov,
    /// The lowest load.
    Load,
    /// The fewest virtual processors.
    Vcpus,
    /// The fewest VMs.
    Vms,
}

/// How a VM is migrated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// Live, falling back to a shutdown.
    None,
    /// Live or not at all.
    Live,
    /// By a shutdown here and a start there.
    Shutdown,
}

/// The text of a choice, as the API wants it.
pub(crate) fn word(choice: impl ValueEnum) -> String {
    choice.to_possible_value().expect("no choice is hidden").get_name().to_owned()
}
