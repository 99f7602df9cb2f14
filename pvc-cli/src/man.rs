//! Manual pages, one per command, made when the package is built.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::Cli;
use crate::failure::{Failure, Outcome};

/// Write the manual pages into a directory.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The directory; created if missing.
    directory: PathBuf,
}

impl Man {
    pub(crate) fn run(&self) -> Outcome {
        // The version's text would stand in each page's header in place of the name.
        let command = Cli::command().display_name("pvc");
        fs::create_dir_all(&self.directory)
            .and_then(|()| clap_mangen::generate_to(command, &self.directory))
            .map_err(|error| {
                let directory = self.directory.display();
                Failure::new(format!("Failed to write manual pages to {directory}: {error}"))
            })
    }
}
