//! What a primary has, in the order in which it changes hands.
//!
//! ```text
//!   taken up     addresses ──▶ leader ──▶ services
//!   laid down    services ──▶ leader ──▶ addresses
//! ```
//! So names and leases are given out by nobody while the addresses move, and whoever serves at
//! an address of the primary finds the databases' leader where it is.

use std::fmt;

/// What changes hands together. The parts of one phase know nothing of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Floating addresses, among them the gateways of networks: what two nodes must not have.
    Addresses,
    /// The leader of what is replicated on all coordinators, such as PostgreSQL.
    Leader,
    /// What serves at the addresses: the API, metadata, DHCP, DNS.
    Services,
}

impl Phase {
    /// In the order in which a new primary takes them up.
    pub const UP: [Self; 3] = [Self::Addresses, Self::Leader, Self::Services];
    /// In the order in which an old primary lays them down.
    pub const DOWN: [Self; 3] = [Self::Services, Self::Leader, Self::Addresses];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Addresses => "addresses",
            Self::Leader => "leader",
            Self::Services => "services",
        })
    }
}

/// How many of the parts of a phase a node has. Of no parts it has all, and not any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Some of them, or some of one of them.
    pub any: bool,
    /// All of them.
    pub all: bool,
}

impl Holding {
    /// None of them.
    pub const NOTHING: Self = Self { any: false, all: false };
    /// All of them.
    pub const EVERYTHING: Self = Self { any: true, all: true };

    /// Of many parts together.
    #[must_use]
    pub fn of(parts: impl IntoIterator<Item = Self>) -> Self {
        let none = Self { any: false, all: true };
        let both = |a: Self, b: Self| Self { any: a.any || b.any, all: a.all && b.all };
        parts.into_iter().fold(none, both)
    }
}

/// How much of the outfit a node has, phase by phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Of [`Phase::Addresses`].
    pub addresses: Holding,
    /// Of [`Phase::Leader`].
    pub leader: Holding,
    /// Of [`Phase::Services`].
    pub services: Holding,
}

impl Held {
    /// How much of a phase.
    #[must_use]
    pub const fn of(&self, phase: Phase) -> Holding {
        match phase {
            Phase::Addresses => self.addresses,
            Phase::Leader => self.leader,
            Phase::Services => self.services,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_no_parts_a_node_has_all_and_not_any() {
        assert_eq!(Holding::of([]), Holding { any: false, all: true });
        assert_eq!(Holding::of([Holding::EVERYTHING; 2]), Holding::EVERYTHING);
        let mixed = Holding::of([Holding::NOTHING, Holding::EVERYTHING]);
        assert_eq!(mixed, Holding { any: true, all: false });
    }

    #[test]
    fn what_is_taken_up_first_is_laid_down_last() {
        let mut down = Phase::DOWN;
        down.reverse();
        assert_eq!(Phase::UP, down);
    }
}
