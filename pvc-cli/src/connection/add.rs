//! `pvc connection add`.

use std::io;

use clap::Args;
use pvc_client::{ApiKey, Client};

use crate::failure::{Failure, Outcome};
use crate::shell::{AGENT, Shell};
use crate::store::{Remote, Store};

/// Add a connection, or replace the one of this name.
#[derive(Args)]
pub(crate) struct Add {
    /// Name of the connection.
    name: String,
    /// What to say about it.
    #[arg(short, long, default_value = "N/A")]
    description: String,
    /// Host name or address of the API.
    #[arg(short, long)]
    address: String,
    /// TCP port of the API.
    #[arg(short, long, default_value_t = 7370, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// API key; `-` reads it from standard input, so that no list of processes shows it.
    #[arg(short = 'k', long, value_name = "KEY")]
    api_key: Option<String>,
    /// Use HTTPS.
    #[arg(short, long, conflicts_with = "no_ssl")]
    ssl: bool,
    /// Use HTTP (the default).
    #[arg(short = 'S', long, conflicts_with = "ssl")]
    no_ssl: bool,
}

/// Without the key.
impl std::fmt::Debug for Add {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Add").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Add {
    pub(crate) fn run(self, shell: &Shell) -> Outcome {
        let key = match self.api_key.as_deref() {
            Some("-") => Some(read_key()?),
            Some(key) => Some(key.to_owned()),
            None => None,
        };
        let key = key.filter(|key| !key.is_empty()).map(ApiKey::new);
        if self.name.is_empty() {
            return Err(Failure::usage("A connection needs a name."));
        }
        let remote = Remote {
            description: self.description,
            host: self.address,
            port: self.port,
            tls: self.ssl && !self.no_ssl,
            key,
        };
        // An address that makes no URL is better refused now than at each use.
        Client::new(remote.endpoint(true), AGENT)
            .map_err(|error| Failure::usage(error.to_string()))?;
        let base = remote.endpoint(true).base();
        Store::add(shell.out, &self.name, remote)?;
        shell.out.data(&format!("Added connection \"{}\" ({base}) to the local store.", self.name))
    }
}

fn read_key() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .map_err(|error| Failure::new(format!("Failed to read the API key: {error}")))?;
    Ok(line.trim().to_owned())
}
