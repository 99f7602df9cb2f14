//! `pvc cluster status`.

use clap::{Args, ValueEnum};
use pvc_client::call;
use pvc_common::api::{self, StateCounts};

use crate::failure::Outcome;
use crate::format::{Form, Json};
use crate::paint::{Colour, Paint};
use crate::shell::Shell;
use crate::show::{Cell, Sheet, delta_colour, gib, health_colour, kib};

/// Show the state of the cluster.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Format of the output.
    #[arg(short, long, value_enum, default_value = "pretty")]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Pretty,
    Short,
    Json,
    JsonPretty,
}

/// How the status is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Everything.
    Pretty,
    /// Health and use.
    Short,
}

impl Status {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let form = match self.format {
            Format::Pretty => Form::Laid(Style::Pretty),
            Format::Short => Form::Laid(Style::Short),
            Format::Json => Form::Json(Json::Dense),
            Format::JsonPretty => Form::Json(Json::Indented),
        };
        let paint = shell.out.paint();
        session
            .show(&call::cluster::status(), form, |status: api::Status, style| {
                render(&status, style, paint)
            })
            .await
    }
}

/// The page about the cluster.
pub(super) fn render(status: &api::Status, style: Style, paint: Paint) -> String {
    let mut sheet = Sheet::default();
    if style == Style::Pretty {
        sheet.value("Cluster", Cell::or_na(&status.cluster_name));
        sheet.value("Primary node", Cell::or_na(&status.primary_node));
        sheet.value("PVC version", Cell::or_na(&status.pvc_version));
        sheet.value("Upstream IP", Cell::or_na(&status.upstream_ip));
        sheet.blank();
    }
    sheet.value("Health", health(status));
    sheet.values("Active faults", faults(status));
    if style == Style::Pretty {
        sheet.blank();
    }
    let resources = &status.resources;
    let (cpu, memory, disk) = (&resources.cpu, &resources.memory, &resources.disk);
    let total = |used: f64, detail: String| Cell::plain(format!("{used}% ({detail})"));
    sheet.value("Total CPU", total(cpu.utilization, format!("{} / {}", cpu.load, cpu.total)));
    sheet.value(
        "Total memory",
        total(memory.utilization, format!("{} / {}", gib(memory.used), gib(memory.total))),
    );
    sheet.value(
        "Total disk",
        total(disk.utilization, format!("{} / {}", kib(disk.used), kib(disk.total))),
    );
    if style == Style::Pretty {
        sheet.blank();
        sheet.value("Nodes", counts(&status.nodes, &["run,ready"]));
        sheet.value("VMs", counts(&status.vms, &["start"]));
        sheet.value("OSDs", counts(&status.osds, &["up,in"]));
        sheet.value("Pools", Cell::plain(status.pools));
        sheet.value("Volumes", Cell::plain(status.volumes));
        sheet.value("Snapshots", Cell::plain(status.snapshots));
        sheet.value("Networks", Cell::plain(status.networks));
    }
    sheet.render(paint)
}

fn health(status: &api::Status) -> Cell {
    let maintenance = status.maintenance == "true";
    let health = status.cluster_health.health;
    let suffix = if maintenance { " (maintenance on)" } else { "" };
    Cell::coloured(health_colour(health, maintenance), format!("{health}{suffix}"))
}

fn faults(status: &api::Status) -> Vec<Cell> {
    let maintenance = status.maintenance == "true";
    let messages = &status.cluster_health.messages;
    if messages.is_empty() {
        return vec![Cell::plain("None")];
    }
    let fault = |fault: &api::HealthMessage| {
        Cell::coloured(
            delta_colour(fault.health_delta, maintenance),
            format!("{} (-{}%) {}", fault.id, fault.health_delta, fault.text),
        )
    };
    messages.iter().map(fault).collect()
}

/// `3/5 start, 2/5 stop`: the good states first.
fn counts(counts: &StateCounts, good: &[&str]) -> Cell {
    let total = counts.total;
    let mut states: Vec<(&String, &u64)> = counts.states.iter().collect();
    states.sort_by_key(|(state, _)| !good.contains(&state.as_str()));
    if states.is_empty() {
        return Cell::plain(total);
    }
    let states = states.into_iter().map(|(state, count)| {
        let colour = if good.contains(&state.as_str()) { Colour::Green } else { Colour::Yellow };
        Cell::coloured(colour, format!("{count}/{total} {state}"))
    });
    Cell::joined(states, ", ")
}
