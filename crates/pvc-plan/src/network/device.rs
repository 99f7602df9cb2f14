//! Devices as they were seen, and the way from there to what they shall be.

use std::collections::BTreeMap;

use pvc_common::observed::LinkKind;
use pvc_common::state::NetworkType;

use super::Step;
use super::names::kind_of;

/// A network device as it was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// What it is.
    pub kind: LinkKind,
    /// Whether it is switched on.
    pub up: bool,
    /// The size of its packets, in bytes.
    pub mtu: u32,
    /// Its hardware address.
    pub mac: Option<[u8; 6]>,
    /// The bridge it is a port of.
    pub port_of: Option<String>,
    /// Whether it gives itself an IPv6 address.
    pub link_local: bool,
    /// Whether its bridge learns from what comes in by it.
    pub learned_from: bool,
    /// The number of the group that it is in; 0 unless somebody put it into another.
    pub group: u32,
}

impl Device {
    /// A device that was just made.
    fn new(kind: LinkKind) -> Self {
        Self { kind, link_local: true, ..Self::default() }
    }
}

/// All devices of a node, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// The devices.
    pub all: BTreeMap<String, Device>,
    /// The ports of each bridge.
    ports: BTreeMap<String, Vec<String>>,
}

impl Devices {
    /// These devices.
    #[must_use]
    pub fn new(all: BTreeMap<String, Device>) -> Self {
        let mut ports: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, device) in &all {
            if let Some(bridge) = &device.port_of {
                ports.entry(bridge.clone()).or_default().push(name.clone());
            }
        }
        Self { all, ports }
    }

    /// What is a port of a bridge.
    pub(super) fn ports_of(&self, bridge: &str) -> impl Iterator<Item = &str> {
        self.ports.get(bridge).into_iter().flatten().map(String::as_str)
    }

    /// Whether a device of this name is there and of the kind that goes with the name.
    pub(super) fn is_ours(&self, name: &str) -> bool {
        self.all.get(name).is_some_and(|device| kind_of(name) == Some(device.kind.name()))
    }

    /// Whether there is anything in a group besides these.
    pub(super) fn has_others_in(&self, group: u32, besides: &[String]) -> bool {
        let mut members = self.all.iter().filter(|(_, device)| device.group == group);
        members.any(|(name, _)| !besides.contains(name))
    }

    /// Whether a device of this name is there and of another kind.
    pub(super) fn is_foreign(&self, name: &str) -> bool {
        self.all.contains_key(name) && !self.is_ours(name)
    }
}

/// The steps from what was seen to what shall be.
pub(super) struct Course<'a> {
    seen: &'a Devices,
    pub(super) steps: Vec<Step>,
    /// Those that were made anew: what was seen of them holds no more.
    made: BTreeMap<String, Device>,
}

impl<'a> Course<'a> {
    pub(super) const fn new(seen: &'a Devices) -> Self {
        Self { seen, steps: Vec::new(), made: BTreeMap::new() }
    }

    pub(super) fn remove(&mut self, device: &str) {
        self.steps.push(Step::Remove { device: device.to_owned() });
    }

    /// There shall be a device of this kind, which is made anew if it is of another.
    pub(super) fn port(&mut self, name: &str, kind: LinkKind, mtu: u32) {
        let there = self.seen.all.get(name);
        if there.is_none_or(|device| device.kind != kind) {
            if there.is_some() {
                self.remove(name);
            }
            self.make(name, kind);
        }
        self.quiet(name);
        self.mtu(name, mtu);
    }

    /// There shall be a bridge, switched on.
    pub(super) fn bridge(&mut self, name: &str, mac: Option<[u8; 6]>, kind: NetworkType, mtu: u32) {
        let is_new = !self.seen.all.contains_key(name);
        if is_new {
            self.make(name, LinkKind::Bridge);
        }
        // A bridged network's is that of the device, as it is anyway; it need not follow that.
        let differs = self.device(name).mac != mac && (is_new || kind == NetworkType::Managed);
        if let Some(mac) = mac.filter(|_| differs) {
            self.steps.push(Step::Address { device: name.to_owned(), mac });
        }
        self.quiet(name);
        self.mtu(name, mtu);
        self.up(name);
    }

    /// The port shall be one of this bridge, switched on.
    pub(super) fn join(&mut self, port: &str, bridge: &str) {
        let device = self.device(port);
        let (joined, learned_from) =
            (device.port_of.as_deref() == Some(bridge), device.learned_from);
        if !joined {
            let (device, bridge) = (port.to_owned(), bridge.to_owned());
            self.steps.push(Step::Join { device, bridge });
        }
        let is_vxlan = matches!(self.device(port).kind, LinkKind::Vxlan(_));
        if is_vxlan && (!joined || learned_from) {
            self.steps.push(Step::Unlearning { device: port.to_owned() });
        }
        self.up(port);
    }

    /// The device shall be switched off.
    pub(super) fn down(&mut self, name: &str) {
        if self.device(name).up {
            self.steps.push(Step::Down { device: name.to_owned() });
        }
    }

    fn make(&mut self, name: &str, kind: LinkKind) {
        self.made.insert(name.to_owned(), Device::new(kind.clone()));
        self.steps.push(Step::Make { device: name.to_owned(), kind });
    }

    fn quiet(&mut self, name: &str) {
        if self.device(name).link_local {
            self.steps.push(Step::Quiet { device: name.to_owned() });
        }
    }

    fn mtu(&mut self, name: &str, mtu: u32) {
        if self.device(name).mtu != mtu {
            self.steps.push(Step::Mtu { device: name.to_owned(), mtu });
        }
    }

    fn up(&mut self, name: &str) {
        if !self.device(name).up {
            self.steps.push(Step::Up { device: name.to_owned() });
        }
    }

    /// The device as it is by now: made, or as it was seen.
    fn device(&self, name: &str) -> Device {
        let device = self.made.get(name).or_else(|| self.seen.all.get(name));
        device.cloned().unwrap_or_default()
    }
}
