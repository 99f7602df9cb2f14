//! What is done to the devices of networks.

use std::fmt;

use pvc_common::observed::LinkKind;

/// One idempotent act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make a device, switched off.
    Make {
        /// Its name.
        device: String,
        /// Its kind.
        kind: LinkKind,
    },
    /// Remove a device.
    Remove {
        /// The device.
        device: String,
    },
    /// Remove several devices in the time that one takes: whatever is in the group then goes.
    RemoveTogether {
        /// The devices.
        devices: Vec<String>,
        /// The group that they are put into for that, and nothing else is in.
        group: u32,
    },
    /// Give a device a hardware address.
    Address {
        /// The device.
        device: String,
        /// The address.
        mac: [u8; 6],
    },
    /// Have a device without an IPv6 address that it gave itself.
    ///
    /// Of a bridge: this node is not a member of its VMs' networks, but for a gateway, which brings its
    /// own. Of a port: nobody hears it there.
    Quiet {
        /// The device.
        device: String,
    },
    /// Set the size of a device's packets.
    Mtu {
        /// The device.
        device: String,
        /// Bytes.
        mtu: u32,
    },
    /// Make a device a port of a bridge.
    Join {
        /// The device.
        device: String,
        /// The bridge.
        bridge: String,
    },
    /// Have a bridge learn nothing by a port: FRR says what is behind it.
    Unlearning {
        /// The port.
        device: String,
    },
    /// Switch a device on.
    Up {
        /// The device.
        device: String,
    },
    /// Switch a device off: nothing passes a bridge that is, whatever its ports are.
    Down {
        /// The device.
        device: String,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Make { device, kind } => write!(f, "make {device} ({kind})"),
            Self::Remove { device } => write!(f, "remove {device}"),
            Self::RemoveTogether { devices, group } => {
                write!(f, "remove {} as group {group}", devices.join(", "))
            }
            Self::Address { device, mac: [a, b, c, d, e, g] } => {
                write!(f, "address {device} {a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
            }
            Self::Quiet { device } => write!(f, "quiet {device}"),
            Self::Mtu { device, mtu } => write!(f, "mtu {device} {mtu}"),
            Self::Join { device, bridge } => write!(f, "join {device} {bridge}"),
            Self::Unlearning { device } => write!(f, "unlearning {device}"),
            Self::Up { device } => write!(f, "up {device}"),
            Self::Down { device } => write!(f, "down {device}"),
        }
    }
}
