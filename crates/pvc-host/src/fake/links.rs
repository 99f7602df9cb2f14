//! The network devices of a machine in memory.

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
        let link = Link { mac, mtu: USUAL_MTU, ..Link::default() };
        machine.table.links.insert(device.to_owned(), link);
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

    async fn apply(&self, step: &LinkStep) -> Result<(), LinkError> {
        let mut machine = self.machine();
        let before = machine.table.clone();
        change(&mut machine.table, step)?;
        machine.changes += u64::from(machine.table != before);
        Ok(())
    }
}

fn change(table: &mut LinkTable, step: &LinkStep) -> Result<(), LinkError> {
    match step {
        LinkStep::Bridge { name, like } => {
            if !table.links.contains_key(name) {
                let mac = device(table, like)?.mac;
                let bridge = Link { mac, mtu: USUAL_MTU, bridge: true, ..Link::default() };
                table.links.insert(name.clone(), bridge);
            }
            device(table, name)?.up = true;
        }
        LinkStep::Enslave { device: port, bridge } => {
            if !device(table, bridge)?.bridge {
                return Err(refused(step, "not a bridge"));
            }
            device(table, port)?.bridge_port_of = Some(bridge.clone());
        }
        LinkStep::Mtu { device: name, mtu } => device(table, name)?.mtu = *mtu,
        LinkStep::Up { device: name } => device(table, name)?.up = true,
        LinkStep::AddAddress { device: name, address } => {
            let addresses = &mut device(table, name)?.addresses;
            if !addresses.contains(address) {
                addresses.push(*address);
            }
        }
        LinkStep::RemoveAddress { device: name, address } => {
            device(table, name)?.addresses.retain(|present| present != address);
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

fn device<'a>(table: &'a mut LinkTable, name: &str) -> Result<&'a mut Link, LinkError> {
    table.links.get_mut(name).ok_or_else(|| LinkError::Missing { device: name.to_owned() })
}

fn refused(step: &LinkStep, why: &str) -> LinkError {
    LinkError::Refused { what: step.to_string(), why: why.to_owned() }
}
