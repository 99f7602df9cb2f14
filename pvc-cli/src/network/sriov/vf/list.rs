//! `pvc network sriov vf list`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::SriovVf;

use crate::failure::Outcome;
use crate::format::PageFormat;
use crate::paint::Paint;
use crate::session::Nothing;
use crate::shell::Shell;
use crate::show::{Cell, Table};

/// List the virtual functions of a node, or of one of its physical functions.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Node they are in.
    node: String,
    /// Physical function they belong to.
    pf: Option<String>,
    #[command(flatten)]
    format: PageFormat,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::sriov::vfs(&self.node, self.pf.as_deref());
        let paint = shell.out.paint();
        let node = call::node::info(&self.node);
        let none = Nothing::from("VFs").of(&node, "Node", &self.node);
        session
            .show_list(&request, none, self.format.form(), |vfs: Vec<SriovVf>, ()| {
                render(&vfs, paint)
            })
            .await
    }
}

/// The table of virtual functions.
pub(in crate::network::sriov) fn render(vfs: &[SriovVf], paint: Paint) -> String {
    if vfs.is_empty() {
        return String::new();
    }
    let names: &[&str] = &["Device", "PF", "MTU", "MAC Address", "Used", "Domain"];
    let mut table = Table::new(&[("VFs", names)]);
    for vf in vfs {
        table.row(vec![
            (&vf.phy).into(),
            Cell::or_na(&vf.pf),
            Cell::or_na(&vf.mtu),
            Cell::or_na(&vf.mac),
            Cell::or_na(&vf.usage.used),
            Cell::or_na(&vf.usage.domain),
        ]);
    }
    table.render(paint)
}
