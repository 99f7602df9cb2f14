//! `pvc connection list`.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::failure::Outcome;
use crate::format::Json;
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::{Cell, Table};
use crate::store::{Remote, Store};

/// List connections.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Show API keys as they are.
    #[arg(short = 'k', long)]
    show_keys: bool,
    /// Format of the output.
    #[arg(short, long, value_enum, default_value = "pretty")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Pretty,
    Raw,
    Json,
    JsonPretty,
    /// Targets for Prometheus' service discovery by file.
    JsonPrometheus,
}

impl List {
    pub(crate) fn run(self, shell: &Shell) -> Outcome {
        let mut connections = Vec::new();
        for (name, entry) in Store::open(shell.out)?.entries() {
            match entry.and_then(|entry| entry.resolve()) {
                Ok(remote) => connections.push((name.to_owned(), remote)),
                Err(failure) => shell.out.warn(failure),
            }
        }
        let keys = self.show_keys;
        match self.format {
            Format::Pretty if connections.is_empty() => {
                shell.out.note("There are no connections; `pvc connection add` adds one.");
                Ok(())
            }
            Format::Pretty => shell.out.data(&table(&connections, keys, shell.out.paint())),
            Format::Raw if connections.is_empty() => Ok(()),
            Format::Raw => {
                let names: Vec<&str> = connections.iter().map(|(name, _)| name.as_str()).collect();
                shell.out.data(&names.join("\n"))
            }
            Format::Json => shell.out.json(&values(&connections, keys), Json::Dense),
            Format::JsonPretty => shell.out.json(&values(&connections, keys), Json::Indented),
            Format::JsonPrometheus => shell.out.json(&targets(&connections), Json::Indented),
        }
    }
}

fn key(remote: &Remote, shown: bool) -> String {
    let key = remote.key.as_ref().map_or("", |key| key.reveal());
    if shown {
        return key.to_owned();
    }
    key.chars().map(|c| if c.is_alphanumeric() { 'x' } else { c }).collect()
}

fn table(connections: &[(String, Remote)], keys: bool, paint: Paint) -> String {
    let columns = ["Name", "Description", "Address", "Port", "Scheme", "API Key"];
    let mut table = Table::new(&[("", &columns)]);
    for (name, remote) in connections {
        table.row(vec![
            name.into(),
            Cell::or_na(&remote.description),
            (&remote.host).into(),
            Cell::plain(remote.port),
            remote.scheme().into(),
            Cell::or_na(&key(remote, keys)),
        ]);
    }
    table.render(paint)
}

fn values(connections: &[(String, Remote)], keys: bool) -> Value {
    let value = |(name, remote): &(String, Remote)| {
        json!({
            "name": name, "description": remote.description, "address": remote.host,
            "port": remote.port, "scheme": remote.scheme(), "api_key": key(remote, keys),
        })
    };
    connections.iter().map(value).collect()
}

fn targets(connections: &[(String, Remote)]) -> Value {
    let target = |(name, remote): &(String, Remote)| {
        json!({
            "targets": [remote.endpoint(false).authority()],
            "labels": {
                "job": "pvc",
                "pvc_cluster_name": format!("{name}: {}", remote.description),
                "pvc_cluster_id": name,
            },
        })
    };
    connections.iter().map(target).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pvc_client::ApiKey;

    fn connections() -> Vec<(String, Remote)> {
        let remote = Remote {
            description: "The lab".into(),
            host: "10.0.0.1".into(),
            port: 7370,
            tls: false,
            key: Some(ApiKey::new("aB3-d".into())),
        };
        vec![("lab".into(), remote)]
    }

    #[test]
    fn keys_are_masked_but_their_shape_stays() {
        assert_eq!(
            table(&connections(), false, Paint::new(false)),
            "Name  Description  Address   Port  Scheme  API Key\n\
             lab   The lab      10.0.0.1  7370  http    xxx-x"
        );
    }

    #[test]
    fn keys_are_shown_on_demand() {
        assert_eq!(values(&connections(), true)[0]["api_key"], "aB3-d");
    }

    #[test]
    fn prometheus_finds_every_cluster() {
        assert_eq!(
            targets(&connections()),
            json!([{"targets": ["10.0.0.1:7370"], "labels": {
                "job": "pvc", "pvc_cluster_name": "lab: The lab", "pvc_cluster_id": "lab"}}])
        );
    }
}
