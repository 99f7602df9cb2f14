//! What was seen of this machine's devices, as the plan reads it.

use pvc_host::{Link, LinkTable};
use pvc_plan::network::{Device, Devices};

pub(super) fn devices(table: LinkTable) -> Devices {
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
    Devices::new(table.links.into_iter().map(|(name, link)| (name, device(link))).collect())
}
