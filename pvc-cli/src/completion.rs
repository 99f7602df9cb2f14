//! Completion scripts for shells.

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::generate;

use crate::Cli;
use crate::failure::Outcome;
use crate::shell::Shell;

/// Print the completion script of a shell.
#[derive(Debug, Args)]
pub(crate) struct Completion {
    /// The shell to complete in.
    shell: Target,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Target {
    Bash,
    Zsh,
    Fish,
}

impl Completion {
    pub(crate) fn run(&self, shell: &Shell) -> Outcome {
        let mut script = Vec::new();
        let generator = match self.shell {
            Target::Bash => clap_complete::Shell::Bash,
            Target::Zsh => clap_complete::Shell::Zsh,
            Target::Fish => clap_complete::Shell::Fish,
        };
        generate(generator, &mut Cli::command(), "pvc", &mut script);
        shell.out.write(&script)
    }
}
