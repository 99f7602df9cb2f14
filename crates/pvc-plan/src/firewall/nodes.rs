//! What the nodes keep for themselves: the networks between them, and what they say to each other there.
//!
//! It is kept by rules that are asked before those of any network, so no rule of a person's opens it.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

/// The bridges of all networks of VMs. Those whose network is gone but that VMs are still in are
/// among them.
const BRIDGES: &str = "iifname \"vmbr*\"";

/// What is the nodes' own. By default nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nodes {
    /// The networks between the nodes: nothing of a VM's is forwarded there.
    pub networks: BTreeSet<Ipv4Net>,
    /// The devices that lead to these networks and nowhere else.
    pub devices: BTreeSet<String>,
    /// The devices by which nodes hear each other; others may be reached by them, too.
    pub carriers: BTreeSet<String>,
    /// The UDP ports at which nodes take what other nodes send, and nobody else.
    pub ports: BTreeSet<u16>,
}

impl Nodes {
    /// The rules for what is forwarded.
    pub(super) fn forwarding(&self) -> Vec<String> {
        // What leaves by a bridge of VMs is theirs, whatever its address is.
        let networks = self.networks.iter().map(|network| {
            format!("{BRIDGES} oifname != \"vmbr*\" ip daddr {network} counter drop")
        });
        let devices = self
            .devices
            .iter()
            .map(|device| format!("{BRIDGES} oifname \"{device}\" counter drop"));
        networks.chain(devices).collect()
    }

    /// The rules for what is sent to this node and no managed network's services have answered for.
    pub(super) fn input(&self) -> Vec<String> {
        let mut rules = vec![format!("{BRIDGES} counter drop")];
        for port in &self.ports {
            rules.extend(elsewhere("iifname", &self.carriers, |name| format!("\"{name}\""), *port));
            rules.extend(elsewhere("ip saddr", &self.networks, ToString::to_string, *port));
        }
        rules
    }
}

/// The rule for what comes to a port from none of these; none if there are none.
fn elsewhere<T>(
    what: &str,
    these: &BTreeSet<T>,
    said: impl Fn(&T) -> String,
    port: u16,
) -> Option<String> {
    let others: Vec<String> = these.iter().map(|one| format!("{what} != {}", said(one))).collect();
    (!others.is_empty()).then(|| format!("udp dport {port} {} counter drop", others.join(" ")))
}
