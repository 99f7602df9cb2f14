//! `pvc network sriov pf list`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::SriovPf;

use crate::failure::Outcome;
use crate::format::PageFormat;
use crate::paint::Paint;
use crate::shell::Shell;
use crate::show::{Cell, Table};

/// List the physical functions of a node.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Node they are in.
    node: String,
    #[command(flatten)]
    format: PageFormat,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::sriov::pfs(&self.node);
        let paint = shell.out.paint();
        session
            .show_list(&request, "PFs", self.format.form(), |pfs: Vec<SriovPf>, ()| {
                render(&pfs, paint)
            })
            .await
    }
}

/// The table of physical functions.
pub(in crate::network::sriov) fn render(pfs: &[SriovPf], paint: Paint) -> String {
    if pfs.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[("PFs", &["Device", "MTU", "VFs"])]);
    for pf in pfs {
        table.row(vec![(&pf.phy).into(), Cell::or_na(&pf.mtu), Cell::or_na(&pf.vfs.join(", "))]);
    }
    table.render(paint)
}
