//! `pvc network sriov pf list`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::SriovPf;

use crate::failure::Outcome;
use crate::format::PageFormat;
use crate::paint::Paint;
use crate::session::Nothing;
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
        let node = call::node::info(&self.node);
        let words = format!(
            "Node '{}' has no PFs: `sriov_enable` is off there, or no card is configured.",
            self.node
        );
        let none = Nothing::from("PFs").told(words).of(&node, "Node", &self.node);
        session
            .show_list(&request, none, self.format.form(), |pfs: Vec<SriovPf>, ()| {
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
