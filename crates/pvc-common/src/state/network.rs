//! Kinds of networks.

use super::Word;

/// How a client network is carried between the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetworkType {
    /// By VXLAN, with addresses, DHCP, DNS and a firewall of our own.
    Managed,
    /// By a VLAN of the surrounding network, which looks after all the rest.
    Bridged,
}

impl Word for NetworkType {
    const KIND: &'static str = "network type";
    const ALL: &'static [Self] = &[Self::Managed, Self::Bridged];

    fn text(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Bridged => "bridged",
        }
    }
}
