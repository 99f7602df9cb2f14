//! Requests about client networks, their addresses and their firewall. A network is named by its VNI or
//! its description.

use crate::{Destructive, Method, Request};

/// Settings of a network. What is not given is left out; an empty text unsets what may be unset.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Its name for people.
    pub description: Option<String>,
    /// Size of its packets.
    pub mtu: Option<String>,
    /// Its DNS domain.
    pub domain: Option<String>,
    /// Name servers that are asked what its own does not know.
    pub name_servers: Vec<String>,
    /// Its IPv4 network.
    pub ip4_network: Option<String>,
    /// Its IPv4 gateway.
    pub ip4_gateway: Option<String>,
    /// Its IPv6 network.
    pub ip6_network: Option<String>,
    /// Its IPv6 gateway.
    pub ip6_gateway: Option<String>,
    /// Whether its VMs get IPv4 addresses by DHCP.
    pub dhcp4: Option<bool>,
    /// First address that DHCP gives away.
    pub dhcp4_start: Option<String>,
    /// Last address that DHCP gives away.
    pub dhcp4_end: Option<String>,
}

impl Settings {
    fn on(&self, request: Request) -> Request {
        let request = request
            .maybe("mtu", self.mtu.as_ref())
            .maybe("domain", self.domain.as_ref())
            .each("name_servers", &self.name_servers)
            .maybe("ip4_network", self.ip4_network.as_ref())
            .maybe("ip4_gateway", self.ip4_gateway.as_ref())
            .maybe("ip6_network", self.ip6_network.as_ref())
            .maybe("ip6_gateway", self.ip6_gateway.as_ref());
        let request = match self.dhcp4 {
            Some(on) => request.switch("dhcp4", on),
            None => request,
        };
        request
            .maybe("dhcp4_start", self.dhcp4_start.as_ref())
            .maybe("dhcp4_end", self.dhcp4_end.as_ref())
    }
}

/// All networks that match.
#[must_use]
pub fn list(limit: Option<&str>) -> Request {
    Request::new(Method::Get, &["network"]).maybe("limit", limit)
}

/// One network, as a list of one.
#[must_use]
pub fn info(network: &str) -> Request {
    Request::new(Method::Get, &["network", network])
}

/// Makes a network; `kind` is `managed` or `bridged`. The description must be given.
#[must_use]
pub fn add(vni: &str, kind: &str, settings: &Settings) -> Request {
    let request = Request::new(Method::Post, &["network"])
        .with("vni", vni)
        .maybe("description", settings.description.as_ref())
        .with("nettype", kind);
    settings.on(request)
}

/// Changes settings of a network.
#[must_use]
pub fn modify(network: &str, settings: &Settings) -> Request {
    let request = Request::new(Method::Put, &["network", network]);
    settings.on(request.maybe("description", settings.description.as_ref()))
}

/// Removes a network; `force` also one that VMs have interfaces in.
#[must_use]
pub fn remove(network: &str, force: bool, _: &Destructive) -> Request {
    let request = Request::new(Method::Delete, &["network", network]);
    request.maybe("force", force.then_some("True"))
}

/// The addresses that a network keeps and, unless `only_static`, those that DHCP gave away.
#[must_use]
pub fn leases(network: &str, limit: Option<&str>, only_static: bool) -> Request {
    Request::new(Method::Get, &["network", network, "lease"])
        .maybe("limit", limit)
        .switch("static", only_static)
}

/// Keeps an address for an interface.
#[must_use]
pub fn add_reservation(network: &str, mac: &str, address: &str, hostname: &str) -> Request {
    Request::new(Method::Post, &["network", network, "lease"])
        .with("macaddress", mac)
        .with("ipaddress", address)
        .with("hostname", hostname)
}

/// No longer keeps an address, or forgets one that DHCP gave away.
#[must_use]
pub fn remove_lease(network: &str, mac: &str, _: &Destructive) -> Request {
    Request::new(Method::Delete, &["network", network, "lease", mac])
}

/// The firewall rules of a network, of one direction (`in` or `out`) or of both.
#[must_use]
pub fn rules(network: &str, limit: Option<&str>, direction: Option<&str>) -> Request {
    Request::new(Method::Get, &["network", network, "acl"])
        .maybe("limit", limit)
        .maybe("direction", direction)
}

/// Adds a firewall rule, the last of its direction unless `order` says how many are before it.
#[must_use]
pub fn add_rule(
    network: &str,
    description: &str,
    direction: &str,
    rule: &str,
    order: Option<u32>,
) -> Request {
    Request::new(Method::Post, &["network", network, "acl"])
        .with("description", description)
        .with("direction", direction)
        .with("rule", rule)
        .maybe("order", order)
}

/// Removes a firewall rule.
#[must_use]
pub fn remove_rule(network: &str, description: &str, _: &Destructive) -> Request {
    Request::new(Method::Delete, &["network", network, "acl", description])
}
