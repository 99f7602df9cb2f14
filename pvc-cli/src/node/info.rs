//! `pvc node info`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::{Node, PluginHealth};

use super::fencing;
use super::place::Place;
use crate::failure::Outcome;
use crate::format::{InfoFormat, InfoStyle};
use crate::paint::{Colour, Paint};
use crate::shell::Shell;
use crate::show::{
    Cell, Sheet, coordinator_state, daemon_state, delta_colour, domain_state, health,
};

/// Show one node.
#[derive(Debug, Args)]
pub(crate) struct Info {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    format: InfoFormat,
}

impl Info {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let name = self.place.name()?;
        let session = shell.connect()?;
        let request = call::node::info(&name);
        let paint = shell.out.paint();
        session
            .show_one(&request, ("Node", &name), self.format.form(), |node: Node, style| {
                render(&node, style, paint)
            })
            .await
    }
}

/// The page about a node; the short style leaves out checks that found nothing.
pub(super) fn render(node: &Node, style: InfoStyle, paint: Paint) -> String {
    let mut sheet = Sheet::default();
    sheet.value("Name", &node.name);
    sheet.value("PVC Version", Cell::or_na(node.pvc_version.as_deref().unwrap_or("")));
    sheet.value("Health", health(node.health, false));
    sheet.values("Health Plugin Details", checks(&node.health_details, style));
    sheet.blank();
    sheet.value("Daemon State", daemon_state(&node.daemon_state));
    sheet.value("Coordinator State", coordinator_state(&node.coordinator_state));
    sheet.value("Domain State", domain_state(&node.domain_state));
    if style == InfoStyle::Long {
        sheet.blank();
        sheet.value("Architecture", &node.arch);
        sheet.value("Operating System", &node.os);
        sheet.value("Kernel Version", &node.kernel);
    }
    fencing::describe(&mut sheet, node, style);
    sheet.blank();
    sheet.value("Active VM Count", Cell::plain(node.domains_count));
    sheet.value("Host CPUs", Cell::plain(node.vcpu.total));
    sheet.value("vCPUs", Cell::plain(node.vcpu.allocated));
    sheet.value("Load", Cell::plain(node.load));
    sheet.value("Total RAM (MiB)", Cell::plain(node.memory.total));
    sheet.value("Used RAM (MiB)", Cell::plain(node.memory.used));
    sheet.value("Free RAM (MiB)", Cell::plain(node.memory.free));
    sheet.value("Allocated RAM (MiB)", Cell::plain(node.memory.allocated));
    sheet.value("Provisioned RAM (MiB)", Cell::plain(node.memory.provisioned));
    if style == InfoStyle::Long && !node.running_domains.is_empty() {
        sheet.blank();
        let vms = node.running_domains.iter();
        let vms = vms.map(|vm| Cell::or_na(vm.as_deref().unwrap_or("")));
        sheet.values("Active VMs", vms.collect());
    }
    sheet.render(paint)
}

fn checks(checks: &[PluginHealth], style: InfoStyle) -> Vec<Cell> {
    let shown = checks.iter().filter(|check| style == InfoStyle::Long || check.health_delta > 0);
    let cells: Vec<Cell> = shown
        .map(|check| {
            let delta = check.health_delta;
            let text = format!("{} (-{delta}%): {}", check.name, check.message);
            Cell::coloured(delta_colour(delta, false), text)
        })
        .collect();
    if cells.is_empty() { vec![Cell::coloured(Colour::Green, "N/A")] } else { cells }
}
