//! `pvc vm list`.

use std::collections::BTreeSet;

use clap::Args;
use pvc_client::call;
use pvc_client::call::vm::VmFilter;
use pvc_common::api::{Network, Vm};

use crate::failure::{Failure, Outcome};
use crate::format::{ListFormat, ListStyle};
use crate::paint::{Colour, Paint};
use crate::session::Session;
use crate::shell::Shell;
use crate::show::{Cell, Table, vm_state};

/// List VMs, all or those that match everything given.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Regular expression for the names, or a UUID.
    limit: Option<String>,
    /// Node that the VMs are on.
    #[arg(short, long, value_name = "NODE")]
    target: Option<String>,
    /// State that the VMs are in, such as start, stop or migrate.
    #[arg(short, long)]
    state: Option<String>,
    /// Tag that the VMs have.
    #[arg(short = 'g', long)]
    tag: Option<String>,
    /// List the VMs that do not match node, state and tag.
    #[arg(short, long)]
    negate: bool,
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let filter = VmFilter {
            limit: self.limit,
            node: self.target,
            state: self.state,
            tag: self.tag,
            negate: self.negate,
        };
        let request = call::vm::list(&filter);
        let paint = shell.out.paint();
        let known = if paint.is_on() { Some(vnis(&session).await?) } else { None };
        session
            .show_list(&request, "VMs", self.format.form(), |vms: Vec<Vm>, style| {
                render(&vms, known.as_ref(), style, paint)
            })
            .await
    }
}

/// The networks that there are.
async fn vnis(session: &Session) -> Result<BTreeSet<String>, Failure> {
    let networks: Vec<Network> = session.any(&call::network::list(None)).await?;
    Ok(networks.iter().map(|network| network.vni.to_string()).collect())
}

/// The networks of a VM; red the VNIs of which none of the `known` is.
fn networks(vm: &Vm, known: Option<&BTreeSet<String>>) -> Cell {
    if vm.networks.is_empty() {
        return Cell::or_na("");
    }
    let is_missing = |vni: &String| {
        vni.bytes().all(|b| b.is_ascii_digit()) && known.is_some_and(|known| !known.contains(vni))
    };
    let cells = vm.networks.iter().map(|nic| match &nic.vni {
        vni if is_missing(vni) => Cell::coloured(Colour::Red, vni),
        vni => Cell::plain(vni),
    });
    Cell::joined(cells, ",")
}

/// The table of VMs, or their names.
pub(super) fn render(
    vms: &[Vm],
    known: Option<&BTreeSet<String>>,
    style: ListStyle,
    paint: Paint,
) -> String {
    if style == ListStyle::Raw {
        let names: Vec<&str> = vms.iter().map(|vm| vm.name.as_str()).collect();
        return names.join("\n");
    }
    let mut table = Table::new(&[
        ("VMs", &["Name", "State", "Tags", "Snapshots", "Networks"]),
        ("Resources", &["RAM (M)", "vCPUs"]),
        ("Node", &["Current", "Migrated"]),
    ]);
    for vm in vms {
        let tags: Vec<&str> = vm.tags.iter().map(|tag| tag.name.as_str()).collect();
        table.row(vec![
            (&vm.name).into(),
            vm_state(&vm.state),
            Cell::or_na(&tags.join(",")),
            Cell::plain(vm.snapshots.len()),
            networks(vm, known),
            Cell::plain(vm.memory),
            Cell::plain(vm.vcpu),
            (&vm.node).into(),
            (&vm.migrated).into(),
        ]);
    }
    table.render(paint)
}
