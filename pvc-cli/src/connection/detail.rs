//! `pvc connection detail`.

use clap::{Args, ValueEnum};
use pvc_client::call;
use pvc_common::api::Status;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::failure::{Failure, Outcome};
use crate::format::Json;
use crate::paint::{Colour, Paint};
use crate::shell::Shell;
use crate::show::{Cell, Table, health};
use crate::store::Store;

/// List connections with the state of their clusters.
///
/// All clusters are asked at once; those that do not answer are listed as such.
#[derive(Debug, Args)]
pub(crate) struct Detail {
    /// Format of the output.
    #[arg(short, long, value_enum, default_value = "pretty")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Pretty,
    Json,
    JsonPretty,
}

/// One connection and what its cluster said.
struct Asked {
    name: String,
    description: String,
    status: Result<Box<Status>, Failure>,
}

impl Detail {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let mut all = JoinSet::new();
        for (name, entry) in Store::open(shell.out)?.entries() {
            let name = name.to_owned();
            let known = entry.and_then(|entry| {
                let description = entry.resolve()?.description;
                Ok((description, shell.client(&entry)?))
            });
            match known {
                Ok((description, client)) => {
                    all.spawn(async move {
                        let status = client.read(&call::cluster::status()).await;
                        Asked {
                            name,
                            description,
                            status: status.map(Box::new).map_err(Failure::from),
                        }
                    });
                }
                Err(failure) => shell.out.warn(failure),
            }
        }
        let mut asked = all.join_all().await;
        asked.sort_by(|a, b| a.name.cmp(&b.name));
        match self.format {
            Format::Pretty => shell.out.data(&table(&asked, shell.out.paint())),
            Format::Json => shell.out.json(&values(&asked), Json::Dense),
            Format::JsonPretty => shell.out.json(&values(&asked), Json::Indented),
        }
    }
}

fn table(asked: &[Asked], paint: Paint) -> String {
    let columns = [
        "Name",
        "Description",
        "Health",
        "Primary",
        "Version",
        "Nodes",
        "VMs",
        "Networks",
        "OSDs",
        "Pools",
        "Volumes",
        "Snapshots",
    ];
    let mut table = Table::new(&[("", &columns)]);
    for cluster in asked {
        let mut row = vec![(&cluster.name).into(), Cell::or_na(&cluster.description)];
        match &cluster.status {
            Ok(status) => row.extend([
                health(status.cluster_health.health, status.maintenance == "true"),
                Cell::or_na(&status.primary_node),
                Cell::or_na(&status.pvc_version),
                Cell::plain(status.nodes.total),
                Cell::plain(status.vms.total),
                Cell::plain(status.networks),
                Cell::plain(status.osds.total),
                Cell::plain(status.pools),
                Cell::plain(status.volumes),
                Cell::plain(status.snapshots),
            ]),
            Err(_) => {
                row.push(Cell::coloured(Colour::Red, "Unreachable"));
                row.resize(columns.len(), Cell::plain("N/A"));
            }
        }
        table.row(row);
    }
    table.render(paint)
}

fn values(asked: &[Asked]) -> Value {
    let value = |cluster: &Asked| match &cluster.status {
        Ok(status) => json!({
            "name": cluster.name, "description": cluster.description,
            "health": status.cluster_health.health, "maintenance": status.maintenance,
            "primary_node": status.primary_node, "pvc_version": status.pvc_version,
            "nodes": status.nodes.total, "vms": status.vms.total, "networks": status.networks,
            "osds": status.osds.total, "pools": status.pools, "volumes": status.volumes,
            "snapshots": status.snapshots, "error": null,
        }),
        Err(failure) => json!({
            "name": cluster.name, "description": cluster.description,
            "error": failure.message(),
        }),
    };
    asked.iter().map(value).collect()
}
