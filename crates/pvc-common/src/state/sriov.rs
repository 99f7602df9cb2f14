//! Settings of SR-IOV functions.

use super::Word;

/// What a virtual function tells its VM of the cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VfLinkState {
    /// What the physical function sees.
    Auto,
    /// That there is one, so that VMs of one card reach each other without.
    Enable,
    /// That there is none.
    Disable,
}

impl Word for VfLinkState {
    const KIND: &'static str = "link state";
    const ALL: &'static [Self] = &[Self::Auto, Self::Enable, Self::Disable];

    fn text(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Enable => "enable",
            Self::Disable => "disable",
        }
    }
}
