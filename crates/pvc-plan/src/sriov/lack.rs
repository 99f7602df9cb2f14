//! Whether a node has the functions that a VM's definition names, and has them free.

use std::fmt;

use pvc_common::id::{NodeName, PciAddress, SriovName, VmName, VmUuid};
use pvc_common::model::{Attachment, Sriov, VmFunction};
use pvc_common::view::View;

use super::usage::{Usage, places};
use super::vf_number;

/// What stands in the way of a VM with functions on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// It has no such function.
    Missing {
        /// What the definition names.
        function: String,
    },
    /// It has it at another place, where the definition means another one's hardware.
    Elsewhere {
        /// Its name.
        name: SriovName,
        /// Where it is.
        place: Option<PciAddress>,
        /// What the definition says.
        named: PciAddress,
    },
    /// Another VM has it.
    Taken {
        /// Its name.
        name: SriovName,
        /// The VM.
        by: VmUuid,
        /// The VM's name, unless that cannot be read.
        by_name: Option<VmName>,
    },
    /// Another VM was just placed there with it.
    Promised {
        /// What the definition names.
        function: String,
    },
    /// The definition names it twice.
    Twice {
        /// Its name.
        name: SriovName,
    },
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { function } => write!(f, "it has no VF {function}"),
            Self::Elsewhere { name, place: Some(place), named } => {
                write!(f, "its VF {name} is at PCI address {place}, not at {named}")
            }
            Self::Elsewhere { name, place: None, named } => {
                write!(f, "its VF {name} is not known to be at PCI address {named}")
            }
            Self::Taken { name, by_name: Some(vm), .. } => {
                write!(f, "its VF {name} is used by VM {vm}")
            }
            Self::Taken { name, by, by_name: None } => {
                write!(f, "its VF {name} is used by VM {by}")
            }
            Self::Promised { function } => {
                write!(f, "its VF {function} was just given to another VM")
            }
            Self::Twice { name } => write!(f, "the VM has its VF {name} twice"),
        }
    }
}

impl Lack {
    /// That another VM was just placed there with this.
    pub(crate) fn promised(function: &VmFunction) -> Self {
        Self::Promised { function: shown(function) }
    }
}

/// What a node lacks of `functions`, which `vm` is to have; `None` if it can have them.
///
/// A macvtap on a device that nothing speaks for being a VF, and hardware that is none, are nobody's
/// concern here: they may be there all the same.
#[must_use]
pub fn lack(
    view: &View,
    node: &NodeName,
    vm: Option<VmUuid>,
    functions: &[VmFunction],
) -> Option<Lack> {
    if functions.is_empty() {
        return None;
    }
    let there = places(view, node);
    let usage = Usage::of(view, node);
    let mut had: Vec<&SriovName> = Vec::new();
    for function in functions {
        let found = there.iter().find(|(name, place)| function.is(name, **place));
        let Some((name, place)) = found else {
            if concerns(view, function) {
                return Some(Lack::Missing { function: shown(function) });
            }
            continue;
        };
        if let Some(lack) = misplaced(function, name, *place) {
            return Some(lack);
        }
        if had.contains(&name) {
            return Some(Lack::Twice { name: name.clone() });
        }
        had.push(name);
        if let Some(by) = usage.vms_of(name, *place).find(|user| Some(*user) != vm) {
            let by_name = view.vms.get(&by).and_then(|vm| vm.name.get().cloned());
            return Some(Lack::Taken { name: name.clone(), by, by_name });
        }
    }
    None
}

/// Whether it is a VF that a node must have: one that is named as such, known anywhere as one, or
/// named as those of a known card are.
fn concerns(view: &View, function: &VmFunction) -> bool {
    let known = |sriov: &Sriov| {
        let is_there = sriov.vfs.iter().any(|(name, vf)| function.is(name, vf.pci_address()));
        let name = function.name.as_ref();
        is_there
            || name.is_some_and(|name| sriov.pfs.keys().any(|pf| vf_number(pf, name).is_some()))
    };
    let named_as_one = function.attachment == Attachment::Hostdev && function.name.is_some();
    let mut all = view.nodes.values().filter_map(|node| node.sriov.as_deref());
    named_as_one || all.any(known)
}

/// The same name at another place, or the same place by another name.
fn misplaced(function: &VmFunction, name: &SriovName, place: Option<PciAddress>) -> Option<Lack> {
    let named = function.pci?;
    let same = place == Some(named) && function.name.as_ref().is_none_or(|own| own == name);
    (!same).then(|| Lack::Elsewhere {
        name: function.name.as_ref().unwrap_or(name).clone(),
        place,
        named,
    })
}

fn shown(function: &VmFunction) -> String {
    match (&function.name, function.pci) {
        (Some(name), _) => name.to_string(),
        (None, Some(pci)) => format!("at PCI address {pci}"),
        (None, None) => String::new(),
    }
}
