//! `pvc vm info`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::Vm;

use crate::failure::Outcome;
use crate::format::{InfoFormat, InfoStyle};
use crate::paint::{Colour, Paint};
use crate::shell::Shell;
use crate::show::{Cell, Sheet, Table, age, bytes, vm_state};

/// Show one VM.
#[derive(Debug, Args)]
pub(crate) struct Info {
    /// VM, by name or UUID.
    #[arg(value_name = "DOMAIN")]
    vm: String,
    #[command(flatten)]
    format: InfoFormat,
}

impl Info {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::vm::info(&self.vm);
        let paint = shell.out.paint();
        session
            .show_one(&request, ("VM", &self.vm), self.format.form(), |vm: Vm, style| {
                render(&vm, style, paint)
            })
            .await
    }
}

/// The page about a VM.
pub(super) fn render(vm: &Vm, style: InfoStyle, paint: Paint) -> String {
    let mut sheet = Sheet::default();
    identity(&mut sheet, vm);
    if style == InfoStyle::Long {
        machine(&mut sheet, vm);
    }
    placement(&mut sheet, vm);
    lists(&mut sheet, vm, paint);
    if style == InfoStyle::Long {
        devices(&mut sheet, vm, paint);
    }
    sheet.render(paint)
}

fn identity(sheet: &mut Sheet, vm: &Vm) {
    sheet.value("Name", &vm.name);
    sheet.value("UUID", &vm.uuid);
    sheet.value("Description", Cell::or_na(&vm.description));
    let profile = if vm.profile == "None" { "" } else { &vm.profile };
    sheet.value("Profile", Cell::or_na(profile));
    sheet.value("Memory (M)", Cell::plain(vm.memory));
    sheet.value("vCPUs", Cell::plain(vm.vcpu));
    sheet.value("Topology (S/C/T)", Cell::or_na(&vm.vcpu_topology));
}

fn machine(sheet: &mut Sheet, vm: &Vm) {
    sheet.blank();
    sheet.value("VNC listen", Cell::or_na(vm.vnc.listen.as_deref().unwrap_or("")));
    sheet.value("VNC port", Cell::or_na(vm.vnc.port.as_deref().unwrap_or("")));
    sheet.value("Emulator", Cell::or_na(&vm.emulator));
    sheet.value("Type", Cell::or_na(&vm.os_type));
    sheet.value("Arch", Cell::or_na(&vm.arch));
    sheet.value("Machine", Cell::or_na(&vm.machine));
    sheet.value("Features", Cell::or_na(&vm.features.join(" ")));
    sheet.blank();
    let statistics = |all: &std::collections::BTreeMap<String, u64>| -> Vec<Cell> {
        let lines = all.iter().map(|(name, value)| format!("{name} {value}").into());
        let lines: Vec<Cell> = lines.collect();
        if lines.is_empty() { vec!["N/A".into()] } else { lines }
    };
    sheet.values("Memory stats (K)", statistics(&vm.memory_stats));
    sheet.values("vCPU stats (ns)", statistics(&vm.vcpu_stats));
}

fn placement(sheet: &mut Sheet, vm: &Vm) {
    sheet.blank();
    sheet.value("State", vm_state(&vm.state));
    if let Some(node) = &vm.displaced {
        let text = format!("displaced from {node}, waiting for a node");
        sheet.value("Placement", Cell::coloured(Colour::Yellow, text));
    }
    sheet.value("Current node", &vm.node);
    sheet.value("Previous node", Cell::or_na(&vm.last_node));
    if !vm.failed_reason.is_empty() {
        sheet.value("Failure reason", &vm.failed_reason);
    }
    sheet.blank();
    let limit = vm.node_limit.as_deref().unwrap_or_default().join(", ");
    sheet.value("Node limit", if limit.is_empty() { "any".into() } else { limit });
    sheet.value("Autostart", if vm.node_autostart { "yes" } else { "no" });
    let method = vm.migration_method.as_deref().unwrap_or("none");
    sheet.value("Migration method", method);
    let selector = vm.node_selector.as_deref().unwrap_or("none");
    sheet.value("Migration selector", selector);
    sheet.value("Max live downtime", format!("{} ms", vm.migration_max_downtime));
}

fn lists(sheet: &mut Sheet, vm: &Vm, paint: Paint) {
    if !vm.tags.is_empty() {
        let mut table = Table::new(&[("Tags", &["Name", "Type", "Protected"])]);
        for tag in &vm.tags {
            table.row(vec![
                (&tag.name).into(),
                (&tag.kind).into(),
                if tag.protected { "yes" } else { "no" }.into(),
            ]);
        }
        sheet.blank();
        sheet.block(table.render(paint));
    }
    if !vm.snapshots.is_empty() {
        let mut table = Table::new(&[("Snapshots", &["Name", "Age", "XML Changes"])]);
        for snapshot in &vm.snapshots {
            table.row(vec![
                (&snapshot.name).into(),
                age(snapshot.age).into(),
                changes(&snapshot.xml_diff_lines),
            ]);
        }
        sheet.blank();
        sheet.block(table.render(paint));
    }
    sheet.blank();
    let networks: Vec<&str> = vm.networks.iter().map(|nic| nic.vni.as_str()).collect();
    sheet.value("Networks", Cell::or_na(&networks.join(", ")));
}

/// `+2/-1`: lines of the definition that came and went since a snapshot.
fn changes(diff: &[String]) -> Cell {
    let count = |sign: &str, header: &str| {
        let lines = diff.iter().filter(|line| line.starts_with(sign));
        lines.filter(|line| !line.starts_with(header)).count()
    };
    Cell::plain(format!("+{}/-{}", count("+", "+++"), count("-", "---")))
}

fn devices(sheet: &mut Sheet, vm: &Vm, paint: Paint) {
    let mut disks = Table::new(&[(
        "Disks",
        &["ID", "Type", "Name", "Dev", "Bus", "Requests (r/w)", "Data (r/w)"],
    )]);
    for (id, disk) in vm.disks.iter().enumerate() {
        disks.row(vec![
            Cell::plain(id),
            (&disk.kind).into(),
            Cell::or_na(&disk.name),
            (&disk.dev).into(),
            Cell::or_na(&disk.bus),
            format!("{}/{}", disk.rd_req, disk.wr_req).into(),
            format!("{}/{}", bytes(disk.rd_bytes), bytes(disk.wr_bytes)).into(),
        ]);
    }
    let mut interfaces = Table::new(&[(
        "Interfaces",
        &["ID", "Type", "Source", "Model", "MAC", "Data (r/w)", "Packets (r/w)", "Errors (r/w)"],
    )]);
    for (id, nic) in vm.networks.iter().enumerate() {
        interfaces.row(vec![
            Cell::plain(id),
            (&nic.kind).into(),
            Cell::or_na(&nic.source),
            Cell::or_na(&nic.model),
            (&nic.mac).into(),
            format!("{}/{}", bytes(nic.rd_bytes), bytes(nic.wr_bytes)).into(),
            format!("{}/{}", nic.rd_packets, nic.wr_packets).into(),
            format!("{}/{}", nic.rd_errors, nic.wr_errors).into(),
        ]);
    }
    let mut controllers = Table::new(&[("Controllers", &["ID", "Type", "Model"])]);
    for (id, controller) in vm.controllers.iter().enumerate() {
        controllers.row(vec![
            Cell::plain(id),
            (&controller.kind).into(),
            Cell::or_na(&controller.model),
        ]);
    }
    for table in [disks, interfaces, controllers] {
        sheet.blank();
        sheet.block(table.render(paint));
    }
}
