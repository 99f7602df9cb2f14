//! Who claims which name and address, and who gets them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use pvc_common::id::{DnsName, Hostname, MacAddress, Vni};
use pvc_common::model::Network;

use super::owner::{GATEWAY, Whose, may_be_called};
use super::{LeftOut, Owners, reverse};

/// By which right something is claimed; the least goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Right {
    Gateway,
    Reservation,
    /// The VM of that name has a lease. The later one of two is the one that is in use.
    Vm(Reverse<u64>),
    /// So it has, but does not say what it is called: it is no matter if another has the name.
    Implied(Reverse<u64>),
    /// Somebody else with a lease says so of itself.
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
    pub(super) fn take(
        &mut self,
        of: (Vni, &Network),
        owners: &Owners,
        domain: &DnsName,
    ) -> Vec<String> {
        let mut taking = Taking { of, owners, domain, claims: &mut self.0, refused: Vec::new() };
        taking.gateways();
        taking.reservations();
        taking.leases();
        taking.refused
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
                if matches!(claim.right, Right::Implied(_)) {
                    continue;
                }
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

/// The taking of what one network claims.
struct Taking<'a> {
    of: (Vni, &'a Network),
    owners: &'a Owners,
    domain: &'a DnsName,
    claims: &'a mut Vec<Claim>,
    refused: Vec<String>,
}

impl Taking<'_> {
    fn gateways(&mut self) {
        let (_, network) = self.of;
        let ip4 = network.ip4_gateway.copied().flatten().map(IpAddr::V4);
        let ip6 = network.ip6_gateway.copied().flatten().map(IpAddr::V6);
        for address in ip4.into_iter().chain(ip6) {
            match host(GATEWAY, self.domain).and_then(|host| self.whole(&host)) {
                Ok(name) => self.claim(Right::Gateway, None, name, address),
                Err(why) => self.refused.push(format!("the gateway: {why}")),
            }
        }
    }

    fn reservations(&mut self) {
        for (mac, reservation) in &self.of.1.reservations {
            let address = reservation.ip.copied().flatten();
            let Some((name, ip)) = given(reservation.hostname.get()).zip(address) else { continue };
            match host(name, self.domain).and_then(|host| self.whole(&host)) {
                Ok(name) => self.claim(Right::Reservation, Some(*mac), name, IpAddr::V4(ip)),
                Err(why) => self.refused.push(format!("{mac}: {why}")),
            }
        }
    }

    fn leases(&mut self) {
        let (_, network) = self.of;
        for (mac, lease) in &network.leases {
            if let Some(ip) = lease.ip.copied().flatten() {
                let said = given(lease.hostname.get());
                self.lease(*mac, said, lease.expiry.copied(), IpAddr::V4(ip));
            }
        }
        for (address, lease) in &network.leases6 {
            // Without its hardware address it is not known to be the machine of another lease.
            if let Some(mac) = lease.mac.copied().flatten() {
                // A client that asks for both may tell its name with one of them only.
                let other = network.leases.get(&mac).and_then(|other| other.hostname.get());
                let kept = network.reservations.get(&mac).and_then(|kept| kept.hostname.get());
                let said = given(lease.hostname.get()).or_else(|| given(other));
                let said = said.or_else(|| given(kept));
                self.lease(mac, said, lease.expiry.copied(), IpAddr::V6(*address));
            }
        }
    }

    /// A lease whose holder says that it is called so. One that may not be, or says nothing, has the name
    /// of the VM that it is.
    fn lease(&mut self, mac: MacAddress, said: Option<&str>, end: Option<u64>, address: IpAddr) {
        // One without an end is later than all others.
        let end = Reverse(end.filter(|end| *end > 0).unwrap_or(u64::MAX));
        match said.map(|said| self.granted(mac, said)) {
            Some(Ok((Whose::Its, name))) => {
                return self.claim(Right::Vm(end), Some(mac), name, address);
            }
            Some(Ok((_, name))) => return self.claim(Right::Lease(end), Some(mac), name, address),
            Some(Err(why)) => self.refused.push(format!("{mac}: {why}")),
            None => {}
        }
        let own = self.owners.name_of(self.of.0, mac);
        if let Some(name) = own.and_then(|own| self.domain.host(own)) {
            self.claim(Right::Implied(end), Some(mac), name, address);
        }
    }

    /// The whole name that a guest gives itself, and whose it is, if it may be called so.
    fn granted(&self, mac: MacAddress, said: &str) -> Result<(Whose, DnsName), String> {
        if !may_be_called(said) {
            return Err("no guest is called `wpad`, `isatap` or `localhost`".to_owned());
        }
        let host = host(said, self.domain)?;
        let name = self.whole(&host)?;
        match self.owners.whose(self.of, Some(mac), &host) {
            Whose::Anothers => Err(format!("{name} is the name of another VM")),
            Whose::Clusters => Err(format!("{name} is a name of the cluster's own")),
            whose @ (Whose::Its | Whose::Free) => Ok((whose, name)),
        }
    }

    fn whole(&self, host: &Hostname) -> Result<DnsName, String> {
        let Self { domain, .. } = self;
        domain.host(host).ok_or_else(|| format!("`{host}` is too long for {domain}"))
    }

    fn claim(&mut self, right: Right, mac: Option<MacAddress>, name: DnsName, address: IpAddr) {
        let (vni, network) = self.of;
        let Some(reverse) = reverse::place(network, address) else {
            let subject = mac.map_or_else(|| "the gateway".to_owned(), |mac| mac.to_string());
            self.refused.push(format!("{subject}: the network has no {address}"));
            return;
        };
        let (machine, domain) = ((vni, mac), self.domain.clone());
        self.claims.push(Claim { right, machine, domain, name, address, reverse });
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

/// A host, which may be called by its whole name, too.
fn host(text: &str, domain: &DnsName) -> Result<Hostname, String> {
    let lower = text.to_ascii_lowercase();
    let short = lower.strip_suffix(domain.as_str()).and_then(|host| host.strip_suffix('.'));
    let host = short.unwrap_or(&lower).parse();
    let shown: String = text.chars().take(80).collect();
    host.map_err(|_| format!("{shown:?} is no name of a host in {domain}"))
}
