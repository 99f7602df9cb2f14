//! Which names the cluster's DNS has: those of managed networks, forward and reverse.
//!
//! ```text
//!   gateways, reservations, leases ──▶ claims ──▶ wanted zones ─┐
//!                                                               ├─▶ change: one transaction
//!   PowerDNS' database ────────────────────────▶ stored zones ──┘
//! ```
//! Invariant: a name belongs to one machine, and an address has one name. A gateway comes before a
//! reservation, that before the lease of the VM of that name, and that before any other lease; of two
//! that are equal the one of the lower network, then the later lease, then the lower hardware address.
//! So every node decides alike.

mod change;
mod claim;
mod owner;
mod reverse;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use pvc_common::id::{DnsName, Vni};
use pvc_common::model::Network;
use pvc_common::state::NetworkType;
use pvc_common::view::Shared;
use pvc_common::zone::Data;

use claim::{Claim, Claims};

pub(crate) use owner::{NOBODYS, may_be_called};

pub use change::change;
pub use owner::{Guarded, Owners};
pub use settings::{Settings, Unfit};

/// Who serves the zones, and who answers for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub name: DnsName,
    /// A mailbox with a dot for its `@`.
    pub contact: DnsName,
}

impl Server {
    /// The server of a cluster whose upstream network has this domain, if it has one.
    ///
    /// # Errors
    /// When there is no room for names in that domain, or it is none of the DNS.
    pub fn of(domain: Option<&str>) -> Result<Self, pvc_common::id::BadId> {
        let (name, domain) = match domain {
            Some(domain) => (owner::NAME_SERVER, domain),
            None => ("dns", "pvc.local"),
        };
        let name = format!("{name}.{domain}").parse()?;
        Ok(Self { name, contact: format!("root.{domain}").parse()? })
    }
}

/// Something of the tree that gets no name, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The network it belongs to; `None` if it is a zone.
    pub network: Option<Vni>,
    /// What and why, for people.
    pub why: String,
}

/// What a zone says: names and what is said of them. Its SOA is not among it.
pub type Zone = BTreeSet<(DnsName, Data)>;

/// The zones that there should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// By name.
    pub zones: BTreeMap<DnsName, Zone>,
    /// What of the tree is not in them.
    pub left_out: Vec<LeftOut>,
}

/// The zones of these networks, in which names belong to these.
#[must_use]
pub fn wanted(networks: &Shared<Vni, Network>, owners: &Owners, server: &Server) -> Wanted {
    let mut wanted = Wanted::default();
    let mut claims = Claims::default();
    for (vni, network) in networks {
        if network.kind.copied() != Some(NetworkType::Managed) {
            continue;
        }
        let Some(domain) = network.domain.get().and_then(Option::as_deref) else { continue };
        let leave_out = |why| LeftOut { network: Some(*vni), why };
        match domain.parse::<DnsName>() {
            Ok(domain) => {
                wanted.zones.entry(domain.clone()).or_default();
                for zone in reverse::zones(network) {
                    wanted.zones.entry(zone).or_default();
                }
                let refused = claims.take((*vni, network), owners, &domain);
                wanted.left_out.extend(refused.into_iter().map(leave_out));
            }
            Err(_) => wanted.left_out.push(leave_out(format!("its domain {domain:?} is no name"))),
        }
    }
    let (settled, disputed) = claims.settle();
    wanted.left_out.extend(disputed);
    for claim in settled {
        put(&mut wanted.zones, claim);
    }
    for (name, zone) in &mut wanted.zones {
        zone.insert((name.clone(), Data::Ns(server.name.clone())));
    }
    wanted
}

/// Puts what a claim says into its zones.
fn put(zones: &mut BTreeMap<DnsName, Zone>, claim: Claim) {
    let Claim { domain, name, address, reverse, .. } = claim;
    let forward = match address {
        IpAddr::V4(address) => Data::A(address),
        IpAddr::V6(address) => Data::Aaaa(address),
    };
    let (zone, pointer) = reverse;
    zones.entry(zone).or_default().insert((pointer, Data::Ptr(name.clone())));
    zones.entry(domain).or_default().insert((name, forward));
}
