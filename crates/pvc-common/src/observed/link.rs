//! Network devices: of what kind one is.

use std::fmt;
use std::net::Ipv4Addr;

/// The kind of a network device, with what cannot be changed once it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LinkKind {
    /// A switch in this kernel.
    Bridge,
    /// One end of a network that is carried between machines in UDP.
    Vxlan(Tunnel),
    /// One VLAN (802.1Q) of another device.
    Vlan {
        /// Its number on the wire.
        id: u16,
        /// The device; empty if it cannot be seen from here.
        carrier: String,
    },
    /// Anything else: hardware, a VM's interface.
    #[default]
    Other,
}

/// How a VXLAN device sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// The network's number on the wire.
    pub vni: u32,
    /// The UDP port of the other ends.
    pub port: u16,
    /// The address it sends from; `None` leaves it to the routes.
    pub local: Option<Ipv4Addr>,
    /// Whether it takes the sender of what it receives for the way there.
    pub learning: bool,
}

impl LinkKind {
    /// The kind without its particulars, as the kernel calls it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Vxlan(_) => "vxlan",
            Self::Vlan { .. } => "vlan",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vxlan(Tunnel { vni, local: Some(local), .. }) => {
                write!(f, "vxlan {vni} from {local}")
            }
            Self::Vxlan(Tunnel { vni, local: None, .. }) => write!(f, "vxlan {vni}"),
            Self::Vlan { id, carrier } => write!(f, "vlan {id} of {carrier}"),
            Self::Bridge | Self::Other => f.write_str(self.name()),
        }
    }
}
