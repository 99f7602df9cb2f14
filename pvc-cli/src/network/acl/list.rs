//! `pvc network acl list`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::NetworkAcl;

use crate::failure::Outcome;
use crate::format::{ListFormat, ListStyle};
use crate::paint::{Paint, tame};
use crate::session::Nothing;
use crate::shell::Shell;
use crate::show::{Cell, Table};

/// List the firewall rules of a network, in their order.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Network, by VNI or description.
    #[arg(value_name = "NET")]
    network: String,
    /// Regular expression for the descriptions.
    limit: Option<String>,
    /// List only rules for what enters the network.
    #[arg(long = "in", conflicts_with = "leaving")]
    entering: bool,
    /// List only rules for what leaves the network.
    #[arg(long = "out", conflicts_with = "entering")]
    leaving: bool,
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let direction = match (self.entering, self.leaving) {
            (true, _) => Some("in"),
            (false, true) => Some("out"),
            (false, false) => None,
        };
        let request = call::network::rules(&self.network, self.limit.as_deref(), direction);
        let paint = shell.out.paint();
        let network = call::network::info(&self.network);
        let none = Nothing::from("ACLs").of(&network, "Network", &self.network);
        session
            .show_list(&request, none, self.format.form(), |rules: Vec<NetworkAcl>, style| {
                render(&rules, style, paint)
            })
            .await
    }
}

/// The table of rules, or `direction|order|rule` of each.
pub(in crate::network) fn render(rules: &[NetworkAcl], style: ListStyle, paint: Paint) -> String {
    if style == ListStyle::Raw {
        let lines = rules.iter().map(|rule| {
            let NetworkAcl { direction, order, rule, .. } = rule;
            tame(&format!("{direction}|{order}|{rule}"))
        });
        return lines.collect::<Vec<_>>().join("\n");
    }
    table("ACLs", rules, paint)
}

/// A table of rules.
pub(in crate::network) fn table(title: &'static str, rules: &[NetworkAcl], paint: Paint) -> String {
    let mut table = Table::new(&[(title, &["Direction", "Order", "Description", "Rule"])]);
    for rule in rules {
        table.row(vec![
            (&rule.direction).into(),
            Cell::plain(rule.order),
            (&rule.description).into(),
            (&rule.rule).into(),
        ]);
    }
    table.render(paint)
}
