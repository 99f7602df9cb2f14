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

impl Step {
    /// The device that it is done to.
    #[must_use]
    pub fn device(&self) -> &str {
        match self {
            Self::Make { device, .. }
            | Self::Remove { device }
            | Self::Address { device, .. }
            | Self::Quiet { device }
            | Self::Mtu { device, .. }
            | Self::Join { device, .. }
            | Self::Unlearning { device }
            | Self::Up { device }
            | Self::Down { device } => device,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Make { device, kind } => write!(f, "make {device} ({kind})"),
            Self::Remove { device } => write!(f, "remove {device}"),
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
