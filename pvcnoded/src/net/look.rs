//! What was seen of this machine's devices, as the plan reads it.

use std::collections::BTreeMap;

use pvc_host::{Link, LinkTable};
use pvc_plan::network::{Device, Devices};

/// What was seen by a look at everything.
pub(super) fn devices(table: LinkTable) -> Devices {
    Devices::new(all(table))
}

/// Of that, what is in a group: a look at some devices would not tell.
pub(super) fn grouped(seen: &Devices) -> BTreeMap<String, Device> {
    let grouped = seen.all.iter().filter(|(_, device)| device.group != 0);
    grouped.map(|(name, device)| (name.clone(), device.clone())).collect()
}

/// What was seen by a look at these devices, and what was in a group at the last look at everything.
pub(super) fn some(
    table: LinkTable,
    asked: &[String],
    grouped: &BTreeMap<String, Device>,
) -> Devices {
    let mut seen = all(table);
    for (name, device) in grouped {
        if !asked.contains(name) {
            seen.entry(name.clone()).or_insert_with(|| device.clone());
        }
    }
    Devices::new(seen)
}

fn all(table: LinkTable) -> BTreeMap<String, Device> {
    let device = |link: Link| Device {
        kind: link.kind,
        up: link.up,
        mtu: link.mtu,
        mac: link.mac.map(|mac| mac.0),
        port_of: link.bridge_port_of,
        link_local: link.link_local,
        learned_from: link.learned_from,
        group: link.group,
    };
    table.links.into_iter().map(|(name, link)| (name, device(link))).collect()
}
