//! The network devices of a machine in memory.

use ipnet::{Ipv4Net, Ipv6Net};
use std::collections::BTreeSet;

use pvc_common::observed::LinkKind;

use super::FakeHost;
use crate::{Link, LinkError, LinkStep, LinkTable, Links, Mac};

/// What Ethernet devices have unless told otherwise, in bytes.
const USUAL_MTU: u32 = 1500;

impl FakeHost {
    /// Plugs in an Ethernet device, which is switched off.
    pub fn plug_in(&self, device: &str) {
        let mut machine = self.machine();
        let number = u8::try_from(machine.table.links.len()).unwrap_or(u8::MAX);
        let mac = Some(Mac([2, 0, 0, 0, 0, number]));
        let link = Link { mac, mtu: USUAL_MTU, link_local: true, ..Link::default() };
        machine.table.links.insert(device.to_owned(), link);
    }

    /// Puts a device that is there into a group.
    pub fn group(&self, device: &str, group: u32) {
        if let Some(link) = self.machine().table.links.get_mut(device) {
            link.group = group;
        }
    }

    /// Takes a kind of device away from the kernel, as it calls it.
    pub fn lack_kind(&self, kind: &'static str) {
        self.machine().missing_kinds.insert(kind);
    }

    /// What was really changed of the devices, in order.
    #[must_use]
    pub fn link_steps(&self) -> Vec<LinkStep> {
        self.machine().steps.clone()
    }

    /// The devices as they are now.
    #[must_use]
    pub fn links(&self) -> LinkTable {
        self.machine().table.clone()
    }
}

impl Links for FakeHost {
    async fn observe(&self) -> Result<LinkTable, LinkError> {
        Ok(self.links())
    }

    async fn observe_some(&self, devices: &[String]) -> Result<LinkTable, LinkError> {
        let is_one = |name: &String| devices.contains(name);
        let mut links = self.links().links;
        links.retain(|name, link| is_one(name) || link.bridge_port_of.as_ref().is_some_and(is_one));
        for link in links.values_mut() {
            link.addresses.clear();
            link.addresses_v6.clear();
            link.permanent_v6.clear();
        }
        Ok(LinkTable { links, ..LinkTable::default() })
    }

    async fn apply(&self, step: &LinkStep) -> Result<(), LinkError> {
        let mut machine = self.machine();
        let before = machine.table.clone();
        let machine = &mut *machine;
        change(&mut machine.table, &machine.missing_kinds, step)?;
        if machine.table != before {
            machine.changes += 1;
            machine.steps.push(step.clone());
        }
        Ok(())
    }
}

fn change(
    table: &mut LinkTable,
    missing_kinds: &BTreeSet<&'static str>,
    step: &LinkStep,
) -> Result<(), LinkError> {
    match step {
        LinkStep::Bridge { name, like } => {
            if !table.links.contains_key(name) {
                let mac = device(table, like)?.mac;
                let bridge = Link { mac, kind: LinkKind::Bridge, ..new_link() };
                table.links.insert(name.clone(), bridge);
            }
            device(table, name)?.up = true;
        }
        LinkStep::Down { device: name } => device(table, name)?.up = false,
        LinkStep::Make { name, kind } => make(table, missing_kinds, name, kind)?,
        LinkStep::Remove { device } => remove(table, device),
        LinkStep::RemoveTogether { devices, group } => remove_together(table, devices, *group),
        LinkStep::Address { device: name, mac } => device(table, name)?.mac = Some(*mac),
        LinkStep::Quiet { device: name } => device(table, name)?.link_local = false,
        LinkStep::Unlearning { device: name } => {
            let port = device(table, name)?;
            if port.bridge_port_of.is_none() {
                return Err(refused(step, "not a port"));
            }
            port.learned_from = false;
        }
        LinkStep::Enslave { device: port, bridge } => {
            if device(table, bridge)?.kind != LinkKind::Bridge {
                return Err(refused(step, "not a bridge"));
            }
            enslave(device(table, port)?, bridge);
        }
        LinkStep::Mtu { device: name, mtu } => {
            let most = lower(table, name)?.map_or(u32::MAX, |lower| lower.mtu);
            if *mtu > most {
                return Err(refused(step, "Numerical result out of range"));
            }
            device(table, name)?.mtu = *mtu;
        }
        LinkStep::Up { device: name } => {
            if lower(table, name)?.is_some_and(|lower| !lower.up) {
                return Err(refused(step, "Network is down"));
            }
            device(table, name)?.up = true;
        }
        LinkStep::AddAddress { device: name, address } => {
            add_v4(device(table, name)?, *address);
        }
        LinkStep::RemoveAddress { device: name, address } => {
            let link = table.links.get_mut(name);
            link.into_iter().for_each(|link| link.addresses.retain(|present| present != address));
        }
        LinkStep::AddAddressV6 { device: name, address } => add_v6(device(table, name)?, *address),
        LinkStep::RemoveAddressV6 { device: name, address } => {
            table.links.get_mut(name).into_iter().for_each(|link| remove_v6(link, *address));
        }
        LinkStep::DefaultRoute(route) => {
            let link = device(table, &route.device)?;
            if !link.addresses.iter().any(|address| address.contains(&route.gateway)) {
                return Err(refused(step, "Network is unreachable"));
            }
            table.default_routes = vec![route.clone()];
        }
    }
    Ok(())
}

fn add_v4(link: &mut Link, address: Ipv4Net) {
    if !link.addresses.contains(&address) {
        link.addresses.push(address);
    }
}

fn add_v6(link: &mut Link, address: Ipv6Net) {
    if !link.permanent_v6.contains(&address) {
        link.permanent_v6.push(address);
    }
    if !address.addr().is_unicast_link_local() && !link.addresses_v6.contains(&address) {
        link.addresses_v6.push(address);
    }
}

fn enslave(port: &mut Link, bridge: &str) {
    if port.bridge_port_of.as_deref() != Some(bridge) {
        port.bridge_port_of = Some(bridge.to_owned());
        port.learned_from = true;
    }
}

fn remove_v6(link: &mut Link, address: Ipv6Net) {
    link.permanent_v6.retain(|present| *present != address);
    link.addresses_v6.retain(|present| *present != address);
}

fn new_link() -> Link {
    Link { mtu: USUAL_MTU, link_local: true, ..Link::default() }
}

fn make(
    table: &mut LinkTable,
    missing_kinds: &BTreeSet<&'static str>,
    name: &str,
    kind: &LinkKind,
) -> Result<(), LinkError> {
    if let Some(there) = table.links.get(name) {
        let same = there.kind == *kind;
        return if same { Ok(()) } else { Err(LinkError::Taken { device: name.to_owned() }) };
    }
    if *kind == LinkKind::Other || missing_kinds.contains(kind.name()) {
        return Err(LinkError::NoSuchKind { kind: kind.name() });
    }
    let mut link = Link { kind: kind.clone(), ..new_link() };
    if let LinkKind::Vlan { carrier, .. } = kind {
        let carrier = device(table, carrier)?;
        (link.mac, link.mtu) = (carrier.mac, carrier.mtu);
    }
    table.links.insert(name.to_owned(), link);
    Ok(())
}

/// With a bridge its ports become free, and with a device its VLANs go.
fn remove(table: &mut LinkTable, device: &str) {
    table.links.remove(device);
    table.links.retain(|_, link| match &link.kind {
        LinkKind::Vlan { carrier, .. } => carrier != device,
        LinkKind::Bridge | LinkKind::Vxlan(_) | LinkKind::Other => true,
    });
    for port in table.links.values_mut() {
        if port.bridge_port_of.as_deref() == Some(device) {
            (port.bridge_port_of, port.learned_from) = (None, false);
        }
    }
}

/// As the kernel does it: what is in the group goes, whoever put it there.
fn remove_together(table: &mut LinkTable, devices: &[String], group: u32) {
    for name in devices {
        table.links.get_mut(name).into_iter().for_each(|link| link.group = group);
    }
    let members = table.links.iter().filter(|(_, link)| link.group == group);
    let members: Vec<String> = members.map(|(name, _)| name.clone()).collect();
    members.iter().for_each(|device| remove(table, device));
}

/// The device that a VLAN is on.
fn lower(table: &mut LinkTable, name: &str) -> Result<Option<Link>, LinkError> {
    match device(table, name)?.kind.clone() {
        LinkKind::Vlan { carrier, .. } => Ok(table.links.get(&carrier).cloned()),
        LinkKind::Bridge | LinkKind::Vxlan(_) | LinkKind::Other => Ok(None),
    }
}

fn device<'a>(table: &'a mut LinkTable, name: &str) -> Result<&'a mut Link, LinkError> {
    table.links.get_mut(name).ok_or_else(|| LinkError::Missing { device: name.to_owned() })
}

fn refused(step: &LinkStep, why: &str) -> LinkError {
    LinkError::Refused { what: step.to_string(), why: why.to_owned() }
}
