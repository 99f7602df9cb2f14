//! `pvc vm network` and `pvc vm volume`, and the `get` of both.

use clap::{Args, Subcommand};
use pvc_common::api::Vm;
use serde_json::{Value, json};

use super::{find, network, volume};
use crate::failure::Outcome;
use crate::format::{Form, ListFormat, ListStyle};
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::{Cell, Table};

/// Networks of a VM.
#[derive(Debug, Subcommand)]
pub(crate) enum NetworkVerb {
    /// Show the networks of a VM.
    Get(Get),
    Add(network::Add),
    Remove(network::Remove),
}

/// Volumes of a VM.
#[derive(Debug, Subcommand)]
pub(crate) enum VolumeVerb {
    /// Show the volumes of a VM.
    Get(Get),
    Add(volume::Add),
    Remove(volume::Remove),
}

/// The VM, and how to show what it has.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    #[command(flatten)]
    format: ListFormat,
}

impl NetworkVerb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Get(get) => get.run(shell, network_values, networks).await,
            Self::Add(verb) => verb.run(shell).await,
            Self::Remove(verb) => verb.run(shell).await,
        }
    }
}

impl VolumeVerb {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        match self {
            Self::Get(get) => get.run(shell, volume_values, volumes).await,
            Self::Add(verb) => verb.run(shell).await,
            Self::Remove(verb) => verb.run(shell).await,
        }
    }
}

impl Get {
    async fn run(
        self,
        shell: &Shell,
        values: fn(&Vm) -> Value,
        lay: fn(&Vm, ListStyle, Paint) -> String,
    ) -> Outcome {
        let session = shell.connect()?;
        let vm = find(&session, &self.vm).await?;
        match self.format.form() {
            Form::Json(json) => shell.out.json(&values(&vm), json),
            Form::Laid(style) => shell.out.data(&lay(&vm, style, shell.out.paint())),
        }
    }
}

fn network_values(vm: &Vm) -> Value {
    let networks: Value = vm
        .networks
        .iter()
        .map(|nic| json!({"network": nic.vni, "mac_address": nic.mac, "model": nic.model}))
        .collect();
    json!({"name": vm.name, "networks": networks})
}

fn networks(vm: &Vm, style: ListStyle, paint: Paint) -> String {
    if style == ListStyle::Raw {
        let names: Vec<&str> = vm.networks.iter().map(|nic| nic.vni.as_str()).collect();
        return names.join(",");
    }
    let mut table = Table::new(&[("", &["Network", "MAC Address", "Model"])]);
    for nic in &vm.networks {
        table.row(vec![(&nic.vni).into(), (&nic.mac).into(), Cell::or_na(&nic.model)]);
    }
    table.render(paint)
}

fn volume_values(vm: &Vm) -> Value {
    let volumes: Value = vm
        .disks
        .iter()
        .map(|disk| {
            json!({"volume": disk.name, "disk_id": disk.dev, "protocol": disk.kind,
                   "bus": disk.bus})
        })
        .collect();
    json!({"name": vm.name, "volumes": volumes})
}

fn volumes(vm: &Vm, style: ListStyle, paint: Paint) -> String {
    if style == ListStyle::Raw {
        let names: Vec<String> =
            vm.disks.iter().map(|disk| format!("{}:{}", disk.kind, disk.name)).collect();
        return names.join(",");
    }
    let mut table = Table::new(&[("", &["Volume", "Dev", "Type", "Bus"])]);
    for disk in &vm.disks {
        table.row(vec![
            Cell::or_na(&disk.name),
            (&disk.dev).into(),
            (&disk.kind).into(),
            Cell::or_na(&disk.bus),
        ]);
    }
    table.render(paint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vm() -> Vm {
        serde_json::from_value(json!({
            "name": "web1", "uuid": "u", "state": "start", "node": "hv1", "memory": 1, "vcpu": 1,
            "networks": [{"type": "bridge", "vni": "1001", "mac": "52:54:00:00:00:01",
                          "model": "virtio"}],
            "disks": [{"type": "rbd", "name": "vms/web1_sda", "dev": "sda", "bus": "scsi"},
                      {"type": "file", "name": "", "dev": "sdb", "bus": "ide"}],
        }))
        .unwrap()
    }

    #[test]
    fn networks_are_listed_with_their_addresses() {
        assert_eq!(
            networks(&vm(), ListStyle::Pretty, Paint::new(false)),
            "Network  MAC Address        Model\n1001     52:54:00:00:00:01  virtio"
        );
        assert_eq!(networks(&vm(), ListStyle::Raw, Paint::new(false)), "1001");
        assert_eq!(network_values(&vm())["networks"][0]["mac_address"], "52:54:00:00:00:01");
    }

    #[test]
    fn an_empty_drive_is_a_volume_without_a_name() {
        assert_eq!(
            volumes(&vm(), ListStyle::Pretty, Paint::new(false)),
            "Volume        Dev  Type  Bus\n\
             vms/web1_sda  sda  rbd   scsi\n\
             N/A           sdb  file  ide"
        );
        let raw = volumes(&vm(), ListStyle::Raw, Paint::new(false));
        assert_eq!(raw, "rbd:vms/web1_sda,file:");
    }
}
