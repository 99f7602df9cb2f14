//! Who claims which name and address, and who gets them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use pvc_common::id::{DnsName, Hostname, MacAddress, Vni};
use pvc_common::model::Network;

use super::{LeftOut, reverse};
use crate::dhcp::may_be_called;

/// What the gateway of a network is called in it.
const GATEWAY: &str = "gateway";

/// By which right something is claimed; the least goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Right {
    Gateway,
    Reservation,
    /// The later one of two leases is the one that is in use.
    Lease(Reverse<u64>),
}

/// A machine that claims: `None` is the gateway of its network.
type Machine = (Vni, Option<MacAddress>);

/// A name and an address that belong together.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    right: Right,
    machine: Machine,
    /// The domain of its network.
    pub(super) domain: DnsName,
    /// The whole name.
    pub(super) name: DnsName,
    pub(super) address: IpAddr,
    /// The zone of the address, and its name there.
    pub(super) reverse: (DnsName, DnsName),
}

/// All that is claimed.
#[derive(Default)]
pub(super) struct Claims(Vec<Claim>);

impl Claims {
    /// Takes what a network claims. What cannot be claimed is returned, with the reason.
    pub(super) fn take(&mut self, vni: Vni, network: &Network, domain: &DnsName) -> Vec<String> {
        let mut refused = Vec::new();
        let mut claim = |right, mac: Option<MacAddress>, text: &str, address: IpAddr| {
            let subject = mac.map_or_else(|| "the gateway".to_owned(), |mac| mac.to_string());
            let is_own = matches!(right, Right::Lease(_));
            let named = match name(text, domain) {
                Ok(_) if is_own && !may_be_called(text) => {
                    Err("no guest is called `wpad`, `isatap` or `localhost`".to_owned())
                }
                named => named,
            };
            match named {
                Ok(name) => match reverse::place(network, address) {
                    Some(reverse) => self.0.push(Claim {
                        right,
                        machine: (vni, mac),
                        domain: domain.clone(),
                        name,
                        address,
                        reverse,
                    }),
                    None => refused.push(format!("{subject}: the network has no {address}")),
                },
                Err(why) => refused.push(format!("{subject}: {why}")),
            }
        };
        let ip4 = network.ip4_gateway.copied().flatten().map(IpAddr::V4);
        let ip6 = network.ip6_gateway.copied().flatten().map(IpAddr::V6);
        for address in ip4.into_iter().chain(ip6) {
            claim(Right::Gateway, None, GATEWAY, address);
        }
        for (mac, reservation) in &network.reservations {
            let address = reservation.ip.copied().flatten();
            if let Some((name, address)) = given(reservation.hostname.get()).zip(address) {
                claim(Right::Reservation, Some(*mac), name, IpAddr::V4(address));
            }
        }
        for (mac, lease) in &network.leases {
            // One without an end is later than all others.
            let end = lease.expiry.copied().filter(|end| *end > 0).unwrap_or(u64::MAX);
            let address = lease.ip.copied().flatten();
            if let Some((name, address)) = given(lease.hostname.get()).zip(address) {
                claim(Right::Lease(Reverse(end)), Some(*mac), name, IpAddr::V4(address));
            }
        }
        for (address, lease) in &network.leases6 {
            let end = lease.expiry.copied().filter(|end| *end > 0).unwrap_or(u64::MAX);
            // Without its hardware address it is not known to be the machine of another lease.
            let mac = lease.mac.copied().flatten();
            if let Some((name, mac)) = given(lease.hostname.get()).zip(mac) {
                claim(Right::Lease(Reverse(end)), Some(mac), name, IpAddr::V6(*address));
            }
        }
        refused
    }

    /// Gives every name to one machine and every address one name.
    pub(super) fn settle(self) -> (Vec<Claim>, Vec<LeftOut>) {
        let Self(mut claims) = self;
        claims.sort_by_key(|claim| (claim.right, claim.machine, claim.address));
        let (mut settled, mut left_out) = (Vec::new(), Vec::new());
        let mut names: BTreeMap<DnsName, Machine> = BTreeMap::new();
        let mut addresses: BTreeMap<IpAddr, Machine> = BTreeMap::new();
        let mut families: BTreeSet<(DnsName, bool)> = BTreeSet::new();
        for claim in claims {
            let machine = claim.machine;
            let name = names.get(&claim.name).map(|holder| (*holder, claim.name.to_string()));
            let address = addresses.get(&claim.address);
            let address = address.map(|holder| (*holder, claim.address.to_string()));
            let rival = name.into_iter().chain(address).find(|(holder, _)| *holder != machine);
            if let Some((holder, what)) = rival {
                let why = format!("{what} is {}'s, not {}'s", said(holder), said(machine));
                left_out.push(LeftOut { network: Some(machine.0), why });
                continue;
            }
            // A machine has a name for an address, and an address of each family for a name: its
            // reservation comes before its lease, and a gateway has two addresses.
            let family = (claim.name.clone(), claim.address.is_ipv4());
            if !addresses.contains_key(&claim.address) && families.insert(family) {
                names.insert(claim.name.clone(), machine);
                addresses.insert(claim.address, machine);
                settled.push(claim);
            }
        }
        (settled, left_out)
    }
}

fn said((vni, mac): Machine) -> String {
    match mac {
        Some(mac) => format!("{mac} of network {vni}"),
        None => format!("the gateway of network {vni}"),
    }
}

/// The name a machine was given or gave itself, if any: `*` is how dnsmasq says that there is none.
fn given(name: Option<&Option<String>>) -> Option<&str> {
    name.and_then(Option::as_deref).filter(|name| !matches!(*name, "" | "*"))
}

/// The whole name of a host, which may be called by that, too.
fn name(text: &str, domain: &DnsName) -> Result<DnsName, String> {
    let lower = text.to_ascii_lowercase();
    let short = lower.strip_suffix(domain.as_str()).and_then(|host| host.strip_suffix('.'));
    let shown: String = text.chars().take(80).collect();
    let host: Hostname = short
        .unwrap_or(&lower)
        .parse()
        .map_err(|_| format!("{shown:?} is no name of a host in {domain}"))?;
    domain.host(&host).ok_or_else(|| format!("{shown:?} is too long for {domain}"))
}
