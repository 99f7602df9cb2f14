//! SR-IOV functions as the kernel shows them.

use std::collections::BTreeMap;
use std::fmt;

use crate::id::{MacAddress, PciAddress, SriovName};
use crate::state::{VfLinkState, Word};

/// The cards of this machine that were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SriovTable {
    /// Whether the kernel is ready to hand hardware to VMs.
    pub hands_through: bool,
    /// The cards that are there, by the names of their devices.
    pub cards: BTreeMap<SriovName, Card>,
    /// Those that could not be looked at, and why: whether they are there is not known.
    pub unseen: BTreeMap<SriovName, String>,
}

/// A card's port, which may be divided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// Whether it was switched on.
    pub up: bool,
    /// Its largest packet, in bytes.
    pub mtu: u32,
    /// Into how many functions it can be divided; `None` if this kernel or the card knows no SR-IOV.
    pub capacity: Option<u32>,
    /// What it is divided into, by number.
    pub functions: BTreeMap<u32, CardFunction>,
}

/// A virtual function of a card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardFunction {
    /// Its place on the PCI bus.
    pub pci: Option<PciAddress>,
    /// Its network device; `None` while the hardware is handed to a VM.
    pub device: Option<FunctionDevice>,
    /// The address that the card has for it; `None` if it says none.
    pub mac: Option<MacAddress>,
    /// How it is set, as far as the card tells.
    pub settings: FoundSettings,
}

/// The network device of a virtual function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionDevice {
    /// Its name.
    pub name: String,
    /// Whether it is switched on: by this host, or for a macvtap.
    pub up: bool,
    /// Its largest packet, in bytes.
    pub mtu: u32,
    /// Its address.
    pub mac: Option<MacAddress>,
}

/// How a virtual function is set. `None` is what its card does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundSettings {
    /// VLAN and priority in it; both 0 for none.
    pub vlan: Option<(u32, u32)>,
    /// Least and greatest rate of sending, in Mbit/s; 0 for none.
    pub rate: Option<(u32, u32)>,
    /// Whether packets with foreign sender addresses are dropped.
    pub spoof_check: Option<bool>,
    /// What it tells its VM of the cable.
    pub link_state: Option<VfLinkState>,
    /// Whether its VM may change its address and see all packets.
    pub trust: Option<bool>,
    /// Whether its VM may ask how load is spread.
    pub query_rss: Option<bool>,
}

/// One setting of a virtual function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VfSetting {
    /// The VLAN it is in, and its priority there; 0 for none.
    Vlan {
        /// The VLAN.
        id: u32,
        /// The priority.
        qos: u32,
    },
    /// Rates of sending, in Mbit/s; 0 for none.
    Rate {
        /// The least.
        min: u32,
        /// The greatest.
        max: u32,
    },
    /// Whether packets with foreign sender addresses are dropped.
    SpoofCheck(bool),
    /// What it tells its VM of the cable.
    LinkState(VfLinkState),
    /// Whether its VM may change its address and see all packets.
    Trust(bool),
    /// Whether its VM may ask how load is spread.
    QueryRss(bool),
}

impl fmt::Display for VfSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |on: bool| if on { "on" } else { "off" };
        match self {
            Self::Vlan { id: 0, qos: 0 } => f.write_str("no VLAN"),
            Self::Vlan { id, qos } => write!(f, "VLAN {id}, priority {qos}"),
            Self::Rate { min, max } => write!(f, "rate of sending {min} to {max} Mbit/s"),
            Self::SpoofCheck(on) => write!(f, "spoof check {}", word(*on)),
            Self::LinkState(state) => write!(f, "link state {}", state.text()),
            Self::Trust(on) => write!(f, "trust {}", word(*on)),
            Self::QueryRss(on) => write!(f, "query RSS {}", word(*on)),
        }
    }
}
