//! What becomes of an event of a lease in the tree.
//!
//! Invariant: an event may be told again, at any time and after any number of others, and by a node
//! that is primary no more: it does not undo what was written since. What the primary's own
//! dnsmasq says is so; what comes from elsewhere counts only where nothing newer is known.
//!
//! A lease counts as long as its network has the address: once the network has others, that may be
//! another network's.

use std::net::{IpAddr, Ipv4Addr};

use pvc_common::id::{Hostname, MacAddress, Vni};
use pvc_common::model::{self, Network};
use pvc_common::zk::{Key, Op, Seen, Text, key};

use super::{Event, Lease4, Lease6, Record};
use crate::dns::{Owners, may_be_called};

/// How long after its end a lease is removed although no dnsmasq said so: longer than the clocks of
/// two nodes may differ.
const GRACE_S: u64 = 3600;
/// How many leases of a network are removed at one look, by as many transactions: a change of a network's
/// addresses ends all of its leases at once.
const AT_ONCE: usize = 250;

/// What becomes of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This has to be written.
    Write(Vec<Op>),
    /// It is in the tree as it was told, or of no account any more.
    Known,
    /// It will never be, for this reason.
    Refused(String),
}

/// Everything a verdict is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    vni: Vni,
    network: &'a Network,
    primary: bool,
    parent: &'a Seen<()>,
}

/// Decides what becomes of an event of the network `vni`, which is gone if it is `None`.
///
/// `parent` is the parent of leases of that kind as it was read; `primary` whether this node is.
#[must_use]
pub fn verdict(
    vni: Vni,
    network: Option<&Network>,
    event: &Event,
    primary: bool,
    parent: &Seen<()>,
) -> Verdict {
    let Some(network) = network else {
        return Verdict::Refused(format!("network {vni} is gone"));
    };
    let case = Case { vni, network, primary, parent };
    let ip = event.record().ip();
    let ops = match event {
        Event::Held(_) if network.has(ip) == Some(false) => {
            Err(format!("network {vni} does not have {ip}"))
        }
        Event::Held(Record::V4(lease)) => case.held4(lease),
        Event::Held(Record::V6(lease)) => case.held6(lease),
        Event::Gone(Record::V4(lease)) => Ok(case.gone4(lease)),
        Event::Gone(Record::V6(lease)) => Ok(case.gone6(lease)),
    };
    match ops {
        Err(why) => Verdict::Refused(why),
        Ok(ops) if ops.is_empty() => Verdict::Known,
        Ok(ops) => Verdict::Write(
            key::network(vni).check(&network.description).into_iter().chain(ops).collect(),
        ),
    }
}

/// Writes a key unless it says so already.
fn put<T: Text + PartialEq>(key: &Key<T>, seen: &Seen<T>, value: &T) -> Option<Op> {
    (seen.get() != Some(value)).then(|| key.put(seen, value))
}

/// The name of a lease as the tree will have it: a name that it has no word for is not kept.
///
/// `none` would read as no name, and so be found missing and be written for ever.
///
/// A guest need not say its name again when it renews its lease: without a new one it has the one `before`.
fn kept(name: Option<&Hostname>, before: Option<&str>) -> Option<String> {
    let name = name.map(ToString::to_string).or_else(|| before.map(str::to_owned));
    let name = name.filter(|name| may_be_called(name));
    let text = name.encode();
    Option::<String>::decode(&text).ok().flatten()
}

impl Case<'_> {
    /// Whether an event of this end may be written over a lease of that end.
    const fn is_news(&self, end: u64, present: Option<u64>) -> bool {
        match present {
            Some(present) => self.primary || end > present,
            None => true,
        }
    }

    fn held4(&self, lease: &Lease4) -> Result<Vec<Op>, String> {
        let (vni, mac) = (self.vni, lease.mac);
        let none = model::Lease::default();
        let present = self.network.leases.get(&mac);
        let seen = present.unwrap_or(&none);
        let mut ops = Vec::new();
        let others =
            self.network.leases.iter().filter(|(other, held)| {
                **other != mac && held.ip.copied().flatten() == Some(lease.ip)
            });
        for (other, held) in others {
            if !self.primary {
                return Err(format!("{} is leased to {other} now", lease.ip));
            }
            ops.extend(delete4(vni, *other, held));
        }
        if !self.is_news(lease.expiry, present.and_then(|held| held.expiry.copied())) {
            return Ok(ops);
        }
        // Of another address it was another lease.
        let before = seen.hostname.get().filter(|_| seen.ip.copied().flatten() == Some(lease.ip));
        let before = before.and_then(Option::as_deref);
        let hostname = kept(lease.hostname.as_ref(), before);
        let client_id =
            lease.client_id.as_ref().map_or_else(|| "*".to_owned(), ToString::to_string);
        if present.is_none() {
            ops.extend(self.made(&key::network_leases(vni)));
        }
        ops.extend(put(&key::lease(vni, mac), &seen.znode, &()));
        ops.extend(put(&key::lease_ip(vni, mac), &seen.ip, &Some(lease.ip)));
        ops.extend(put(&key::lease_hostname(vni, mac), &seen.hostname, &hostname));
        ops.extend(put(&key::lease_expiry(vni, mac), &seen.expiry, &lease.expiry));
        ops.extend(put(&key::lease_client_id(vni, mac), &seen.client_id, &client_id));
        Ok(ops)
    }

    fn held6(&self, lease: &Lease6) -> Result<Vec<Op>, String> {
        let (vni, ip) = (self.vni, lease.ip);
        let none = model::Lease6::default();
        let present = self.network.leases6.get(&ip);
        let seen = present.unwrap_or(&none);
        let duid = lease.duid.to_string();
        let holder = seen.duid.get().filter(|holder| **holder != duid);
        if let Some(holder) = holder.filter(|_| !self.primary) {
            return Err(format!("{ip} is leased to {holder} now"));
        }
        if !self.is_news(lease.expiry, present.and_then(|held| held.expiry.copied())) {
            return Ok(Vec::new());
        }
        let before = present.filter(|held| held.duid.get() == Some(&duid));
        let name = before.and_then(|held| held.hostname.get().and_then(Option::as_deref));
        let hostname = kept(lease.hostname.as_ref(), name);
        // A dnsmasq that was told the lease when it started does not know this of it.
        let mac = lease.mac.or_else(|| before.and_then(|held| held.mac.copied().flatten()));
        let mut ops = Vec::new();
        if present.is_none() {
            ops.extend(self.made(&key::network_leases6(vni)));
        }
        ops.extend(put(&key::lease6(vni, ip), &seen.znode, &()));
        ops.extend(put(&key::lease6_duid(vni, ip), &seen.duid, &duid));
        ops.extend(put(&key::lease6_iaid(vni, ip), &seen.iaid, &lease.iaid));
        ops.extend(put(&key::lease6_hostname(vni, ip), &seen.hostname, &hostname));
        ops.extend(put(&key::lease6_expiry(vni, ip), &seen.expiry, &lease.expiry));
        ops.extend(put(&key::lease6_mac(vni, ip), &seen.mac, &mac));
        Ok(ops)
    }

    /// A network that an older program made has no parent for all kinds of leases.
    fn made(&self, parent: &Key<()>) -> Option<Op> {
        (*self.parent == Seen::Absent).then(|| parent.create(&()))
    }

    fn gone4(&self, lease: &Lease4) -> Vec<Op> {
        let held = self.network.leases.get(&lease.mac);
        let held = held.filter(|held| held.ip.copied().flatten() == Some(lease.ip));
        let over = held.filter(|held| self.is_over(lease.expiry, held.expiry.copied()));
        over.map(|held| delete4(self.vni, lease.mac, held)).unwrap_or_default()
    }

    fn gone6(&self, lease: &Lease6) -> Vec<Op> {
        let duid = lease.duid.to_string();
        let held = self.network.leases6.get(&lease.ip);
        let held = held.filter(|held| held.duid.get() == Some(&duid));
        let over = held.filter(|held| self.is_over(lease.expiry, held.expiry.copied()));
        over.map(|held| delete6(self.vni, lease.ip, held)).unwrap_or_default()
    }

    /// Whether the lease that is over is the one in the tree, and not a later one.
    fn is_over(&self, end: u64, present: Option<u64>) -> bool {
        self.primary || present.is_none_or(|present| present <= end)
    }
}

fn delete4(vni: Vni, mac: MacAddress, held: &model::Lease) -> Vec<Op> {
    [
        key::lease_ip(vni, mac).delete(&held.ip),
        key::lease_hostname(vni, mac).delete(&held.hostname),
        key::lease_expiry(vni, mac).delete(&held.expiry),
        key::lease_client_id(vni, mac).delete(&held.client_id),
        key::lease(vni, mac).delete(&held.znode),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn delete6(vni: Vni, ip: std::net::Ipv6Addr, held: &model::Lease6) -> Vec<Op> {
    [
        key::lease6_duid(vni, ip).delete(&held.duid),
        key::lease6_iaid(vni, ip).delete(&held.iaid),
        key::lease6_hostname(vni, ip).delete(&held.hostname),
        key::lease6_expiry(vni, ip).delete(&held.expiry),
        key::lease6_mac(vni, ip).delete(&held.mac),
        key::lease6(vni, ip).delete(&held.znode),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What removes the leases of a network that are long over, or of addresses that it does not have: each
/// a transaction of its own, and not too many at once. They are left where no dnsmasq gives addresses
/// away any more.
///
/// `now` is in UNIX seconds. A lease without an end (0) is never over.
#[must_use]
pub fn expired(vni: Vni, network: &Network, now: u64) -> Vec<Vec<Op>> {
    let is_over = |end: &Seen<u64>| {
        end.copied().is_some_and(|end| end != 0 && end.saturating_add(GRACE_S) < now)
    };
    let lacks = |ip: IpAddr| network.has(ip) == Some(false);
    let v4 = network.leases.iter().filter(|(_, held)| {
        is_over(&held.expiry) || held.ip.copied().flatten().is_some_and(|ip| lacks(ip.into()))
    });
    let v6 = network.leases6.iter();
    let v6 = v6.filter(|(ip, held)| is_over(&held.expiry) || lacks((**ip).into()));
    let (net4, net6) = (key::network_ip4_network(vni), key::network_ip6_network(vni));
    let v4 = v4.map(|(mac, held)| (net4.check(&network.ip4_network), delete4(vni, *mac, held)));
    let v6 = v6.map(|(ip, held)| (net6.check(&network.ip6_network), delete6(vni, *ip, held)));
    let all = v4.chain(v6).map(|(check, ops)| check.into_iter().chain(ops).collect());
    all.take(AT_ONCE).collect()
}

/// The leases of a network. What cannot be understood of one is left out, and the whole lease if
/// nobody could be told by the rest who has which address, or the network does not have it. A name that
/// is another's by `owners` is left out, too: dnsmasq does not ask whose it is when it reads it.
#[must_use]
pub fn records(vni: Vni, network: &Network, owners: &Owners) -> Vec<Record> {
    let name = |seen: &Seen<Option<String>>, mac: Option<MacAddress>| {
        let name: Hostname = seen.get().and_then(Option::as_ref)?.parse().ok()?;
        owners.grant((vni, network), mac, &name).then_some(name)
    };
    let v4 = network.leases.iter().filter_map(|(mac, held)| {
        let ip: Ipv4Addr = held.ip.copied().flatten()?;
        Some(Record::V4(Lease4 {
            mac: *mac,
            ip,
            hostname: name(&held.hostname, Some(*mac)),
            expiry: held.expiry.copied()?,
            client_id: held.client_id.get().and_then(|id| id.parse().ok()),
        }))
    });
    let v6 = network.leases6.iter().filter_map(|(ip, held)| {
        Some(Record::V6(Lease6 {
            duid: held.duid.get()?.parse().ok()?,
            iaid: held.iaid.copied()?,
            ip: *ip,
            hostname: name(&held.hostname, held.mac.copied().flatten()),
            expiry: held.expiry.copied()?,
            mac: held.mac.copied().flatten(),
        }))
    });
    v4.chain(v6).filter(|record| network.has(record.ip()) != Some(false)).collect()
}
