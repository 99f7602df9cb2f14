//! Keys below `/networks/{vni}`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::{Key, NETWORKS};
use crate::id::{MacAddress, RuleName, Vni};
use crate::state::NetworkType;

/// The suffixes below a network, for reading a network key by key.
pub mod network_suffix {
    /// Managed or bridged.
    pub const TYPE: &str = "/nettype";
    /// Size of its packets.
    pub const MTU: &str = "/mtu";
    /// Parent of its firewall rules.
    pub const RULES: &str = "/firewall_rules";
    /// Parent of the rules for what enters it.
    pub const RULES_IN: &str = "/firewall_rules/in";
    /// Parent of the rules for what leaves it.
    pub const RULES_OUT: &str = "/firewall_rules/out";
    /// Name servers, comma-separated.
    pub const NAME_SERVERS: &str = "/name_servers";
    /// DNS domain.
    pub const DOMAIN: &str = "/domain";
    /// Parent of reserved addresses.
    pub const RESERVATIONS: &str = "/dhcp4_reservations";
    /// Parent of leased addresses.
    pub const LEASES: &str = "/dhcp4_leases";
    /// Parent of leased IPv6 addresses (since version 19).
    pub const LEASES6: &str = "/dhcp6_leases";
    /// IPv4 gateway.
    pub const IP4_GATEWAY: &str = "/ip4_gateway";
    /// IPv4 network.
    pub const IP4_NETWORK: &str = "/ip4_network";
    /// Whether there is DHCP for IPv4.
    pub const DHCP4: &str = "/dhcp4_flag";
    /// First address that DHCP gives away.
    pub const DHCP4_START: &str = "/dhcp4_start";
    /// Last address that DHCP gives away.
    pub const DHCP4_END: &str = "/dhcp4_end";
    /// IPv6 gateway.
    pub const IP6_GATEWAY: &str = "/ip6_gateway";
    /// IPv6 network.
    pub const IP6_NETWORK: &str = "/ip6_network";
    /// Whether there is DHCP for IPv6.
    pub const DHCP6: &str = "/dhcp6_flag";
}

/// The suffixes below a reservation.
pub mod reservation_suffix {
    /// The address.
    pub const IP: &str = "/ipaddr";
    /// The name that goes with it.
    pub const HOSTNAME: &str = "/hostname";
}

/// The suffixes below a lease.
pub mod lease_suffix {
    /// The address.
    pub const IP: &str = "/ipaddr";
    /// The name its holder gave itself.
    pub const HOSTNAME: &str = "/hostname";
    /// When it ends.
    pub const EXPIRY: &str = "/expiry";
    /// How its holder identified itself.
    pub const CLIENT_ID: &str = "/clientid";
}

/// The suffixes below a lease of an IPv6 address.
pub mod lease6_suffix {
    /// How its holder identified itself.
    pub const DUID: &str = "/duid";
    /// Which of its holder's interfaces it is for.
    pub const IAID: &str = "/iaid";
    /// The name its holder gave itself.
    pub const HOSTNAME: &str = "/hostname";
    /// When it ends.
    pub const EXPIRY: &str = "/expiry";
    /// The hardware address it was asked from.
    pub const MAC: &str = "/mac";
}

/// The suffixes below a firewall rule.
pub mod rule_suffix {
    /// What it matches and what becomes of that.
    pub const RULE: &str = "/rule";
    /// Its place among the rules.
    pub const ORDER: &str = "/order";
}

use network_suffix as suffix;

/// What a firewall rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// What enters the network.
    In,
    /// What leaves the network.
    Out,
}

impl Direction {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::In, Self::Out];

    /// The word for it: `in` or `out`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::In => suffix::RULES_IN,
            Self::Out => suffix::RULES_OUT,
        }
    }
}

fn at<T>(vni: Vni, suffix: &str) -> Key<T> {
    Key::new(format!("{NETWORKS}/{vni}{suffix}"))
}

/// `/networks`: parent of all networks. Written anew with whatever networks must not have twice (names,
/// addresses), so that no two writers decide on the same. Written by: API.
#[must_use]
pub fn networks() -> Key<()> {
    Key::new(NETWORKS.to_owned())
}

/// `/networks/{vni}`: its description, which is its name for people. Written by: API.
#[must_use]
pub fn network(vni: Vni) -> Key<String> {
    at(vni, "")
}

/// `/networks/{vni}/nettype`. Written by: API, when it is made.
#[must_use]
pub fn network_type(vni: Vni) -> Key<NetworkType> {
    at(vni, suffix::TYPE)
}

/// `/networks/{vni}/mtu`: unset for the greatest that fits. Written by: API.
#[must_use]
pub fn network_mtu(vni: Vni) -> Key<Option<u32>> {
    at(vni, suffix::MTU)
}

/// `/networks/{vni}/firewall_rules`: a parent. Written by: API, when it is made.
#[must_use]
pub fn network_rules(vni: Vni) -> Key<()> {
    at(vni, suffix::RULES)
}

/// `/networks/{vni}/name_servers`. Written by: API.
#[must_use]
pub fn network_name_servers(vni: Vni) -> Key<Vec<IpAddr>> {
    at(vni, suffix::NAME_SERVERS)
}

/// `/networks/{vni}/domain`: its DNS domain. Written by: API.
#[must_use]
pub fn network_domain(vni: Vni) -> Key<Option<String>> {
    at(vni, suffix::DOMAIN)
}

/// `/networks/{vni}/dhcp4_reservations`: a parent. Written by: API, when it is made.
#[must_use]
pub fn network_reservations(vni: Vni) -> Key<()> {
    at(vni, suffix::RESERVATIONS)
}

/// `/networks/{vni}/dhcp4_leases`: a parent. Written by: API, when it is made.
#[must_use]
pub fn network_leases(vni: Vni) -> Key<()> {
    at(vni, suffix::LEASES)
}

/// `/networks/{vni}/dhcp6_leases`: a parent (since version 19).
///
/// Written by: API, when it is made; the DHCP server of the primary.
#[must_use]
pub fn network_leases6(vni: Vni) -> Key<()> {
    at(vni, suffix::LEASES6)
}

/// `/networks/{vni}/ip4_gateway`. Written by: API.
#[must_use]
pub fn network_ip4_gateway(vni: Vni) -> Key<Option<Ipv4Addr>> {
    at(vni, suffix::IP4_GATEWAY)
}

/// `/networks/{vni}/ip4_network`. Written by: API.
#[must_use]
pub fn network_ip4_network(vni: Vni) -> Key<Option<Ipv4Net>> {
    at(vni, suffix::IP4_NETWORK)
}

/// `/networks/{vni}/dhcp4_flag`. Written by: API.
#[must_use]
pub fn network_dhcp4(vni: Vni) -> Key<bool> {
    at(vni, suffix::DHCP4)
}

/// `/networks/{vni}/dhcp4_start`. Written by: API.
#[must_use]
pub fn network_dhcp4_start(vni: Vni) -> Key<Option<Ipv4Addr>> {
    at(vni, suffix::DHCP4_START)
}

/// `/networks/{vni}/dhcp4_end`. Written by: API.
#[must_use]
pub fn network_dhcp4_end(vni: Vni) -> Key<Option<Ipv4Addr>> {
    at(vni, suffix::DHCP4_END)
}

/// `/networks/{vni}/ip6_gateway`. Written by: API.
#[must_use]
pub fn network_ip6_gateway(vni: Vni) -> Key<Option<Ipv6Addr>> {
    at(vni, suffix::IP6_GATEWAY)
}

/// `/networks/{vni}/ip6_network`. Written by: API.
#[must_use]
pub fn network_ip6_network(vni: Vni) -> Key<Option<Ipv6Net>> {
    at(vni, suffix::IP6_NETWORK)
}

/// `/networks/{vni}/dhcp6_flag`: true wherever there is an IPv6 network. Written by: API.
#[must_use]
pub fn network_dhcp6(vni: Vni) -> Key<bool> {
    at(vni, suffix::DHCP6)
}

/// `/networks/{vni}/firewall_rules/{in|out}`: a parent. Written by: API, when it is made.
#[must_use]
pub fn network_rules_of(vni: Vni, direction: Direction) -> Key<()> {
    at(vni, direction.suffix())
}

fn reservation_at<T>(vni: Vni, mac: MacAddress, suffix: &str) -> Key<T> {
    at(vni, &format!("{}/{mac}{suffix}", suffix::RESERVATIONS))
}

/// `/networks/{vni}/dhcp4_reservations/{mac}`: the word `static`. Written by: API.
#[must_use]
pub fn reservation(vni: Vni, mac: MacAddress) -> Key<String> {
    reservation_at(vni, mac, "")
}

/// `/networks/{vni}/dhcp4_reservations/{mac}/ipaddr`. Written by: API.
#[must_use]
pub fn reservation_ip(vni: Vni, mac: MacAddress) -> Key<Option<Ipv4Addr>> {
    reservation_at(vni, mac, reservation_suffix::IP)
}

/// `/networks/{vni}/dhcp4_reservations/{mac}/hostname`. Written by: API.
#[must_use]
pub fn reservation_hostname(vni: Vni, mac: MacAddress) -> Key<Option<String>> {
    reservation_at(vni, mac, reservation_suffix::HOSTNAME)
}

fn lease_at<T>(vni: Vni, mac: MacAddress, suffix: &str) -> Key<T> {
    at(vni, &format!("{}/{mac}{suffix}", suffix::LEASES))
}

/// `/networks/{vni}/dhcp4_leases/{mac}`. Written by: the DHCP server of the primary; API (deletion).
#[must_use]
pub fn lease(vni: Vni, mac: MacAddress) -> Key<()> {
    lease_at(vni, mac, "")
}

/// `/networks/{vni}/dhcp4_leases/{mac}/ipaddr`. Written by: as [`lease`].
#[must_use]
pub fn lease_ip(vni: Vni, mac: MacAddress) -> Key<Option<Ipv4Addr>> {
    lease_at(vni, mac, lease_suffix::IP)
}

/// `/networks/{vni}/dhcp4_leases/{mac}/hostname`. Written by: as [`lease`].
#[must_use]
pub fn lease_hostname(vni: Vni, mac: MacAddress) -> Key<Option<String>> {
    lease_at(vni, mac, lease_suffix::HOSTNAME)
}

/// `/networks/{vni}/dhcp4_leases/{mac}/expiry`: UNIX seconds by the clock of the primary.
///
/// Written by: as [`lease`].
#[must_use]
pub fn lease_expiry(vni: Vni, mac: MacAddress) -> Key<u64> {
    lease_at(vni, mac, lease_suffix::EXPIRY)
}

/// `/networks/{vni}/dhcp4_leases/{mac}/clientid`. Written by: as [`lease`].
#[must_use]
pub fn lease_client_id(vni: Vni, mac: MacAddress) -> Key<String> {
    lease_at(vni, mac, lease_suffix::CLIENT_ID)
}

fn lease6_at<T>(vni: Vni, ip: Ipv6Addr, suffix: &str) -> Key<T> {
    at(vni, &format!("{}/{ip}{suffix}", suffix::LEASES6))
}

/// `/networks/{vni}/dhcp6_leases/{ip}` (since version 19). Written by: as [`lease`].
#[must_use]
pub fn lease6(vni: Vni, ip: Ipv6Addr) -> Key<()> {
    lease6_at(vni, ip, "")
}

/// `/networks/{vni}/dhcp6_leases/{ip}/duid`. Written by: as [`lease`].
#[must_use]
pub fn lease6_duid(vni: Vni, ip: Ipv6Addr) -> Key<String> {
    lease6_at(vni, ip, lease6_suffix::DUID)
}

/// `/networks/{vni}/dhcp6_leases/{ip}/iaid`. Written by: as [`lease`].
#[must_use]
pub fn lease6_iaid(vni: Vni, ip: Ipv6Addr) -> Key<u32> {
    lease6_at(vni, ip, lease6_suffix::IAID)
}

/// `/networks/{vni}/dhcp6_leases/{ip}/hostname`. Written by: as [`lease`].
#[must_use]
pub fn lease6_hostname(vni: Vni, ip: Ipv6Addr) -> Key<Option<String>> {
    lease6_at(vni, ip, lease6_suffix::HOSTNAME)
}

/// `/networks/{vni}/dhcp6_leases/{ip}/expiry`: UNIX seconds by the clock of the primary.
///
/// Written by: as [`lease`].
#[must_use]
pub fn lease6_expiry(vni: Vni, ip: Ipv6Addr) -> Key<u64> {
    lease6_at(vni, ip, lease6_suffix::EXPIRY)
}

/// `/networks/{vni}/dhcp6_leases/{ip}/mac`: unset where it was not seen. Written by: as [`lease`].
#[must_use]
pub fn lease6_mac(vni: Vni, ip: Ipv6Addr) -> Key<Option<MacAddress>> {
    lease6_at(vni, ip, lease6_suffix::MAC)
}

fn rule_at<T>(vni: Vni, direction: Direction, rule: &RuleName, suffix: &str) -> Key<T> {
    at(vni, &format!("{}/{rule}{suffix}", direction.suffix()))
}

/// `/networks/{vni}/firewall_rules/{in|out}/{rule}`. Written by: API.
#[must_use]
pub fn rule(vni: Vni, direction: Direction, name: &RuleName) -> Key<()> {
    rule_at(vni, direction, name, "")
}

/// `/networks/{vni}/firewall_rules/{in|out}/{rule}/rule`: in the language of nft. Written by: API.
#[must_use]
pub fn rule_text(vni: Vni, direction: Direction, name: &RuleName) -> Key<String> {
    rule_at(vni, direction, name, rule_suffix::RULE)
}

/// `/networks/{vni}/firewall_rules/{in|out}/{rule}/order`: counted from 0. Written by: API.
#[must_use]
pub fn rule_order(vni: Vni, direction: Direction, name: &RuleName) -> Key<u32> {
    rule_at(vni, direction, name, rule_suffix::ORDER)
}
