//! `pvc network info`.

use clap::Args;
use pvc_client::call;
use pvc_common::api::{Network, NetworkAcl, NetworkLease};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{acl, dhcp, find, flag, mtu, setting};
use crate::failure::{Failure, Outcome};
use crate::format::{Form, InfoFormat};
use crate::paint::Paint;
use crate::session::Session;
use crate::shell::Shell;
use crate::show::{Cell, Sheet};

/// Show one network, with its reservations and firewall rules.
#[derive(Debug, Args)]
pub(crate) struct Info {
    /// Network, by VNI or description.
    #[arg(value_name = "NET")]
    network: String,
    #[command(flatten)]
    format: InfoFormat,
}

impl Info {
    pub(crate) async fn run(self, shell: &Shell) -> Outcome {
        let session = shell.connect()?;
        let request = call::network::info(&self.network);
        match self.format.form() {
            Form::Json(json) => {
                let mut network: Value = session.one(&request, "Network", &self.network).await?;
                if network["type"] == "managed"
                    && let Some(fields) = network.as_object_mut()
                {
                    let vni = fields["vni"].to_string();
                    let (kept, rules) = holdings::<Value, Value>(&session, &vni).await?;
                    fields.insert("reservations".to_owned(), kept.into());
                    fields.insert("rules".to_owned(), rules.into());
                }
                shell.out.json(&network, json)
            }
            // Both styles are the same: what there is of a network fits one page.
            Form::Laid(_) => {
                let network = find(&session, &self.network).await?;
                let (mut kept, mut rules) = (Vec::new(), Vec::new());
                if network.kind == "managed" {
                    (kept, rules) = holdings(&session, &network.vni.to_string()).await?;
                }
                shell.out.data(&render(&network, &kept, &rules, shell.out.paint()))
            }
        }
    }
}

/// The addresses that a managed network keeps, and its firewall rules.
async fn holdings<K: DeserializeOwned, R: DeserializeOwned>(
    session: &Session,
    vni: &str,
) -> Result<(Vec<K>, Vec<R>), Failure> {
    let kept = session.any(&call::network::leases(vni, None, true)).await?;
    Ok((kept, session.any(&call::network::rules(vni, None, None)).await?))
}

/// The page about a network.
pub(super) fn render(
    network: &Network,
    kept: &[NetworkLease],
    rules: &[NetworkAcl],
    paint: Paint,
) -> String {
    let mut sheet = Sheet::default();
    sheet.value("VNI", Cell::plain(network.vni));
    sheet.value("Type", &network.kind);
    sheet.value("MTU", mtu(network));
    sheet.value("Description", &network.description);
    if network.kind == "managed" {
        managed(&mut sheet, network);
    }
    if !kept.is_empty() {
        sheet.blank();
        sheet.block(dhcp::table("Static DHCPv4 reservations", kept, paint));
    }
    if !rules.is_empty() {
        sheet.blank();
        sheet.block(acl::table("Firewall rules", rules, paint));
    }
    sheet.render(paint)
}

fn managed(sheet: &mut Sheet, network: &Network) {
    sheet.blank();
    sheet.value("Domain", setting(&network.domain));
    // Other servers send one that is empty for none.
    let servers = network.name_servers.iter().filter(|server| !server.is_empty());
    let servers: Vec<&str> = servers.map(String::as_str).collect();
    sheet.value("DNS Servers", Cell::or_na(&servers.join(", ")));
    sheet.blank();
    sheet.value("IPv6 network", setting(&network.ip6.network));
    sheet.value("IPv6 gateway", setting(&network.ip6.gateway));
    sheet.value("DHCPv6 enabled", flag(&network.ip6.dhcp_flag));
    sheet.blank();
    sheet.value("IPv4 network", setting(&network.ip4.network));
    sheet.value("IPv4 gateway", setting(&network.ip4.gateway));
    sheet.value("DHCPv4 enabled", flag(&network.ip4.dhcp_flag));
    if network.ip4.dhcp_flag == "True" {
        let range = format!("{} - {}", network.ip4.dhcp_start, network.ip4.dhcp_end);
        sheet.value("DHCPv4 range", range);
    }
}
