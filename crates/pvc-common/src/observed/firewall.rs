//! What the kernel's firewall was seen to hold of ours.

use std::collections::BTreeMap;

/// Our table of the firewall, as the kernel has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirewallTable {
    /// How many rules each of its chains has, by name; `None` where that was not asked for.
    pub chains: BTreeMap<String, Option<usize>>,
    /// Its maps by name: from a key, such as `vmbr1001`, to a verdict, such as `jump some-chain`.
    pub maps: BTreeMap<String, BTreeMap<String, String>>,
}

impl FirewallTable {
    /// Its name. It is of the family `inet`, and nothing in it is anybody else's.
    pub const NAME: &str = "pvc";
}
