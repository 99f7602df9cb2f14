//! The devices of the VMs' networks on a node: what has to change so that they are as the tree says.
//!
//! ```text
//!  managed:  VM ── vmbr<vni> ── vxlan<vni> ··· UDP 4789, by the cluster network ··· other nodes
//!  bridged:  VM ── vmbr<vni> ── vlan<vni> ── bridge_device ··· the surrounding network
//! ```
//! Devices of these names and kinds are ours, and no others are touched. A bridge goes with its network,
//! but never while anything of somebody else is a port of it: that is a VM's interface. Then it is switched
//! off.
//!
//! A network's port is made before its bridge. So where the kernel lacks a kind of device there is no
//! bridge either, and a VM is refused instead of being connected with nothing.

mod device;
mod names;
mod step;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use pvc_common::id::Vni;
use pvc_common::model;
use pvc_common::observed::{LinkKind, Tunnel};
use pvc_common::state::NetworkType;
use pvc_common::zk::Seen;

use device::Course;
pub use device::{Device, Devices};
pub use names::bridge;
use names::{owner, port};
pub use step::Step;

/// The UDP port of VXLAN (RFC 7348), which upstream uses, too.
pub const VXLAN_PORT: u16 = 4789;

/// What VXLAN puts before a packet: two Ethernet headers, one of IP and UDP each, and its own.
const VXLAN_HEADERS: u32 = 50;

/// The smallest packet that IPv4 must be able to have.
const MIN_MTU: u32 = 68;

/// The greatest number of a VLAN; 4095 is not for use.
const MAX_VLAN: u32 = 4094;

/// What this node carries networks by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carriers {
    /// The cluster network, for managed networks; `None` without an address in it.
    pub tunnels: Option<Tunnels>,
    /// The device for bridged networks; `None` if none is configured.
    pub trunk: Option<Trunk>,
}

/// What carries managed networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnels {
    /// This node's address in the cluster network.
    pub local: Ipv4Addr,
    /// Packet size of the cluster network.
    pub mtu: u32,
}

impl Tunnels {
    /// The largest packets that fit through.
    #[must_use]
    pub const fn max_mtu(&self) -> u32 {
        self.mtu.saturating_sub(VXLAN_HEADERS)
    }
}

/// What carries bridged networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// The device.
    pub device: String,
    /// Its packet size as configured; `None` for what it has.
    pub mtu: Option<u32>,
    /// Whether it belongs to one of the node's own networks, too, which sets its packet size.
    pub shared: bool,
}

/// What has to be done, and what cannot be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// For what carries the bridged networks; before the rest.
    pub trunk: Vec<Step>,
    /// Of each network that is not in order, or should be gone and is not.
    pub networks: BTreeMap<Vni, Work>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.trunk.is_empty() && self.networks.values().all(|work| work.steps.is_empty())
    }
}

/// What has to be done for one network. When a step fails the rest makes no sense.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// In order.
    pub steps: Vec<Step>,
    /// What no step can mend, for people.
    pub fault: Option<String>,
}

/// What is wrong with a network that has no type.
const UNTYPED: &str = "its type is missing in the tree";

/// What of a network decides about its devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// How it is carried; what is wrong with the tree otherwise.
    kind: Result<NetworkType, &'static str>,
    /// The size of its packets; `None` for the greatest.
    mtu: Option<u32>,
}

impl Wanted {
    /// Of a network as the tree has it.
    #[must_use]
    pub fn of(network: &model::Network) -> Self {
        let kind = match &network.kind {
            Seen::Value { value, .. } => Ok(*value),
            Seen::Absent => Err(UNTYPED),
            Seen::Bad { .. } => Err("its type in the tree cannot be understood"),
        };
        Self { kind, mtu: network.mtu.copied().flatten() }
    }

    /// Whether it has no type: it is being made or removed just now, or something is wrong with the tree.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.kind == Err(UNTYPED)
    }
}

/// Compares what is wanted with what was seen.
#[must_use]
pub fn plan(wanted: &BTreeMap<Vni, Wanted>, carriers: &Carriers, seen: &Devices) -> Plan {
    let ours = seen.all.keys().filter_map(|name| owner(name));
    let all: BTreeSet<Vni> = wanted.keys().copied().chain(ours).collect();
    plan_some(&all, wanted, carriers, seen)
}

/// As [`plan`], but for some networks: the devices of [`devices_of`] have to be seen, the ports of bridges
/// among them, and whatever is in a group.
#[must_use]
pub fn plan_some(
    some: &BTreeSet<Vni>,
    wanted: &BTreeMap<Vni, Wanted>,
    carriers: &Carriers,
    seen: &Devices,
) -> Plan {
    let work = |vni: Vni| {
        let work = match wanted.get(&vni) {
            Some(network) => keep(vni, network, carriers, seen),
            None => remove(vni, seen),
        };
        (work != Work::default()).then_some((vni, work))
    };
    let mut theirs = some.iter().filter_map(|vni| wanted.get(vni));
    let bridged = theirs.any(|network| network.kind == Ok(NetworkType::Bridged));
    let trunk = carriers.trunk.as_ref().filter(|_| bridged);
    Plan {
        trunk: trunk.map(|trunk| ready(trunk, seen)).unwrap_or_default(),
        networks: some.iter().copied().filter_map(work).collect(),
    }
}

/// The devices by which is decided what these networks need, whether they are there or not.
#[must_use]
pub fn devices_of(some: &BTreeSet<Vni>, carriers: &Carriers) -> Vec<String> {
    let own = some.iter().flat_map(|vni| names::ports(*vni).into_iter().chain([bridge(*vni)]));
    own.chain(carriers.trunk.iter().map(|trunk| trunk.device.clone())).collect()
}

/// VLANs cannot be used while their device is off, nor have greater packets.
fn ready(trunk: &Trunk, seen: &Devices) -> Vec<Step> {
    let Some(device) = seen.all.get(&trunk.device) else {
        return Vec::new();
    };
    let name = || trunk.device.clone();
    let mtu = trunk.mtu.filter(|mtu| !trunk.shared && device.mtu != *mtu);
    let mtu = mtu.map(|mtu| Step::Mtu { device: name(), mtu });
    mtu.into_iter().chain((!device.up).then(|| Step::Up { device: name() })).collect()
}

/// What a network's port is to be, and the greatest packet that fits through it.
struct Port {
    kind: LinkKind,
    max_mtu: u32,
    /// The address of the bridge. It is ours to give: otherwise a bridge takes that of some port, and
    /// changes it when ports come and go, which its neighbours notice as an outage.
    mac: Option<[u8; 6]>,
}

fn port_of(
    vni: Vni,
    kind: NetworkType,
    carriers: &Carriers,
    seen: &Devices,
) -> Result<Port, String> {
    match kind {
        NetworkType::Managed => {
            let tunnels =
                carriers.tunnels.ok_or("this node has no address in the cluster network")?;
            let local = tunnels.local;
            let tunnel =
                Tunnel { vni: vni.get(), port: VXLAN_PORT, local: Some(local), learning: false };
            let [a, b, c, d] = local.octets();
            Ok(Port {
                kind: LinkKind::Vxlan(tunnel),
                max_mtu: tunnels.max_mtu(),
                // Locally administered, and no other node's: the gateway is known by it.
                mac: Some([0x0a, 0x70, a, b, c, d]),
            })
        }
        NetworkType::Bridged => {
            let trunk = carriers.trunk.as_ref();
            let trunk = trunk.ok_or("no bridge_device is configured on this node")?;
            let id = u16::try_from(vni.get()).ok().filter(|id| u32::from(*id) <= MAX_VLAN);
            let id = id.ok_or_else(|| format!("no VLAN has a number above {MAX_VLAN}"))?;
            let device = seen.all.get(&trunk.device);
            let device = device
                .ok_or_else(|| format!("there is no device {}, the bridge_device", trunk.device))?;
            let max_mtu = match trunk.mtu {
                Some(mtu) if trunk.shared => mtu.min(device.mtu),
                Some(mtu) => mtu,
                None => device.mtu,
            };
            let kind = LinkKind::Vlan { id, carrier: trunk.device.clone() };
            Ok(Port { kind, max_mtu, mac: device.mac })
        }
    }
}

/// What a network that there is needs.
fn keep(vni: Vni, network: &Wanted, carriers: &Carriers, seen: &Devices) -> Work {
    let fault = |why: String| Work { fault: Some(why), ..Work::default() };
    let kind = match network.kind {
        Ok(kind) => kind,
        // Whatever it is: what there is of it stays.
        Err(why) => return fault(why.to_owned()),
    };
    let to = match port_of(vni, kind, carriers, seen) {
        Ok(to) => to,
        Err(why) => return fault(why),
    };
    let (bridge, port, other) = (bridge(vni), port(vni, kind), port(vni, names::other(kind)));
    if let Some(taken) = [&bridge, &port].into_iter().find(|name| seen.is_foreign(name)) {
        return fault(format!("{taken} is there already, and is something else"));
    }
    let (mtu, fault) = mtu(network.mtu, to.max_mtu);
    let mut course = Course::new(seen);
    if seen.is_ours(&other) {
        course.remove(&other);
    }
    course.port(&port, to.kind, mtu);
    course.bridge(&bridge, to.mac, kind, mtu);
    course.join(&port, &bridge);
    Work { steps: course.steps, fault }
}

/// The size of a network's packets, and whether it is another one than was asked for.
fn mtu(asked: Option<u32>, max: u32) -> (u32, Option<String>) {
    match asked {
        Some(asked) if asked > max => {
            let why = format!("packets of {asked} bytes were asked for; at most {max} fit here");
            (max, Some(why))
        }
        Some(asked) if asked < MIN_MTU => {
            let why =
                format!("packets of {asked} bytes were asked for; at least {MIN_MTU} are needed");
            (max, Some(why))
        }
        Some(asked) => (asked, None),
        None => (max, None),
    }
}

/// Takes away what is left of a network that there is no more. A VM that is still in it is cut off from
/// whoever else is, and from this node: there are no rules any more for what it may send.
fn remove(vni: Vni, seen: &Devices) -> Work {
    let (bridge, ports) = (bridge(vni), names::ports(vni));
    let own = ports.iter().filter(|port| seen.is_ours(port)).cloned();
    let guests = seen.ports_of(&bridge).filter(|port| !ports.iter().any(|own| own == port));
    if let [guest, more @ ..] = &*guests.collect::<Vec<_>>() {
        let mut course = Course::new(seen);
        own.for_each(|port| course.remove(&port));
        course.down(&bridge);
        let more = match more.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let why = format!(
            "there is no such network any more, but {bridge} has {guest}{more} in it, and leads \
             nowhere"
        );
        return Work { steps: course.steps, fault: Some(why) };
    }
    let devices = own.chain(seen.is_ours(&bridge).then(|| bridge.clone())).collect::<Vec<_>>();
    let group = names::group(vni);
    let steps = if devices.len() < 2 || seen.has_others_in(group, &devices) {
        devices.into_iter().map(|device| Step::Remove { device }).collect()
    } else {
        vec![Step::RemoveTogether { devices, group }]
    };
    Work { steps, fault: None }
}
