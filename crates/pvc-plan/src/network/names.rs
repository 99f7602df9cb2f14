//! What the devices of a network are called.

use pvc_common::id::Vni;
use pvc_common::state::NetworkType;

const BRIDGE: &str = "vmbr";
const VXLAN: &str = "vxlan";
const VLAN: &str = "vlan";

/// The bridge that a network's VMs are ports of.
#[must_use]
pub fn bridge(vni: Vni) -> String {
    format!("{BRIDGE}{vni}")
}

/// The port of the bridge by which a network of this kind leaves the node.
pub(super) fn port(vni: Vni, kind: NetworkType) -> String {
    match kind {
        NetworkType::Managed => format!("{VXLAN}{vni}"),
        NetworkType::Bridged => format!("{VLAN}{vni}"),
    }
}

/// The ports by which a network may leave the node.
pub(super) fn ports(vni: Vni) -> [String; 2] {
    [NetworkType::Managed, NetworkType::Bridged].map(|kind| port(vni, kind))
}

/// The group of a network's devices that are about to go: a number that nobody else would think of.
pub(super) const fn group(vni: Vni) -> u32 {
    0x5000_0000 | vni.get()
}

/// The kind that is not this one.
pub(super) const fn other(kind: NetworkType) -> NetworkType {
    match kind {
        NetworkType::Managed => NetworkType::Bridged,
        NetworkType::Bridged => NetworkType::Managed,
    }
}

/// The kind of device that a name of ours goes with, as the kernel calls it.
pub(super) fn kind_of(name: &str) -> Option<&'static str> {
    let of = |prefix, kind| number(name, prefix).map(|_| kind);
    of(BRIDGE, "bridge").or_else(|| of(VXLAN, "vxlan")).or_else(|| of(VLAN, "vlan"))
}

/// The network that a device belongs to, by its name.
pub(super) fn owner(name: &str) -> Option<Vni> {
    [BRIDGE, VXLAN, VLAN].into_iter().find_map(|prefix| number(name, prefix))
}

fn number(name: &str, prefix: &str) -> Option<Vni> {
    name.strip_prefix(prefix)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_plain_number_are_ours() {
        let owner = |name| owner(name).map(Vni::get);
        assert_eq!(owner("vmbr1001"), Some(1001));
        assert_eq!(owner("vxlan7"), Some(7));
        assert_eq!(owner("vlan4094"), Some(4094));
        for other in ["vmbr", "vmbr01", "vmbr7a", "vmbr99999999", "brcluster", "vnet3", "xvlan7"] {
            assert_eq!(owner(other), None, "{other}");
        }
    }
}
