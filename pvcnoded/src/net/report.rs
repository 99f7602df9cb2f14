//! What came of looking after the networks.

use std::collections::BTreeMap;
use std::fmt;

use pvc_common::id::Vni;

/// Of so many networks people are told what is the matter.
const SHOWN: usize = 3;

/// What an activation found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The devices were seen.
    Seen {
        /// How many networks are in order.
        there: usize,
        /// Those of which something had to be changed, and was.
        changed: Vec<Vni>,
        /// What is the matter with the others.
        faults: BTreeMap<Vni, String>,
        /// Whether that may be otherwise soon, without a change of the tree.
        again: bool,
    },
    /// Why they could not be seen.
    Unseen(String),
}

impl Report {
    /// How many networks are in order, if that is known.
    pub(super) fn there(&self) -> Option<u32> {
        match self {
            Self::Seen { there, .. } => Some(u32::try_from(*there).unwrap_or(u32::MAX)),
            Self::Unseen(_) => None,
        }
    }

    /// What is the matter with which network, as far as that is known.
    pub(super) fn faults(&self) -> BTreeMap<Vni, String> {
        match self {
            Self::Seen { faults, .. } => faults.clone(),
            Self::Unseen(_) => BTreeMap::new(),
        }
    }

    /// Whether nothing is to be tried again soon.
    pub(super) const fn is_settled(&self) -> bool {
        matches!(self, Self::Seen { again: false, .. })
    }

    /// Whether anything was changed.
    pub(super) fn has_changed(&self) -> bool {
        matches!(self, Self::Seen { changed, .. } if !changed.is_empty())
    }

    /// What is not as it should be, for people.
    pub(super) fn trouble(&self) -> Option<String> {
        let faults = match self {
            Self::Seen { faults, .. } if faults.is_empty() => return None,
            Self::Seen { faults, .. } => faults,
            Self::Unseen(why) => {
                return Some(format!("the networks of VMs on this node cannot be seen: {why}"));
            }
        };
        let shown = faults.iter().take(SHOWN).map(|(vni, why)| format!("network {vni}: {why}"));
        let mut text = shown.collect::<Vec<_>>().join("; ");
        if faults.len() > SHOWN {
            text += &format!("; and {} more networks", faults.len() - SHOWN);
        }
        Some(text)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seen { there, changed, faults, .. } => {
                let (changed, faults) = (changed.len(), faults.len());
                write!(f, "{there} in order, {changed} changed, {faults} with faults")
            }
            Self::Unseen(why) => write!(f, "not seen: {why}"),
        }
    }
}
