//! What a plan for SR-IOV functions may consist of.

use std::fmt;

use pvc_common::id::{SriovName, VmUuid};
use pvc_common::observed::VfSetting;
use pvc_common::zk::Op;

use super::usage::names;
use pvc_common::view::View;

/// A card's port that is to be divided, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its device.
    pub device: SriovName,
    /// Its largest packet, in bytes; `None` keeps what it has.
    pub mtu: Option<u32>,
    /// Into how many functions it is divided.
    pub functions: u32,
}

/// One change to this machine. Each may be repeated without harm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Let the kernel hand hardware to VMs.
    AllowHandingThrough,
    /// Let a device take packets of up to this size.
    Mtu {
        /// The card that it is or belongs to.
        pf: SriovName,
        /// The device.
        device: String,
        /// Bytes.
        mtu: u32,
    },
    /// Switch a card on.
    Up {
        /// Its device.
        pf: SriovName,
    },
    /// Divide a card.
    Divide {
        /// Its device.
        pf: SriovName,
        /// Into how many functions.
        into: u32,
    },
    /// Set something of a function.
    Set {
        /// The card.
        pf: SriovName,
        /// The number of the function.
        number: u32,
        /// What.
        setting: VfSetting,
    },
}

impl Step {
    /// The card it is about, unless it is about the whole machine.
    #[must_use]
    pub fn card(&self) -> Option<&SriovName> {
        match self {
            Self::AllowHandingThrough => None,
            Self::Mtu { pf, .. }
            | Self::Up { pf }
            | Self::Divide { pf, .. }
            | Self::Set { pf, .. } => Some(pf),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllowHandingThrough => f.write_str("let the kernel hand hardware to VMs"),
            Self::Mtu { device, mtu, .. } => {
                write!(f, "set the packet size of {device} to {mtu}")
            }
            Self::Up { pf } => write!(f, "switch on {pf}"),
            Self::Divide { pf, into } => write!(f, "divide {pf} into {into} VFs"),
            Self::Set { pf, number, setting } => write!(f, "set {setting} on VF {number} of {pf}"),
        }
    }
}

/// One change to the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// One atomic transaction.
    Record {
        /// What it is about: the path of a function.
        path: String,
        /// Its operations.
        ops: Vec<Op>,
    },
    /// Remove a function and everything below it.
    Forget {
        /// Its path.
        path: String,
    },
}

/// What is not as it shall be, and cannot be made so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// It could not be looked at, and is left as it is.
    Unseen {
        /// The card.
        pf: SriovName,
        /// What stood in the way.
        why: String,
    },
    /// There is no such device.
    NoDevice {
        /// The card.
        pf: SriovName,
    },
    /// This kernel or the card knows no SR-IOV.
    NoSriov {
        /// The card.
        pf: SriovName,
    },
    /// It cannot be divided into so many.
    TooMany {
        /// The card.
        pf: SriovName,
        /// How many are wanted.
        wanted: u32,
        /// How many it can have.
        capacity: u32,
    },
    /// It is divided otherwise, and its functions are in use.
    InUse {
        /// The card.
        pf: SriovName,
        /// Into how many it is divided.
        present: u32,
        /// How many are wanted.
        wanted: u32,
        /// The VMs that use them.
        by: Vec<VmUuid>,
        /// Devices of theirs that this host uses itself.
        devices: Vec<String>,
    },
    /// The kernel calls a function's device otherwise.
    OtherName {
        /// The card.
        pf: SriovName,
        /// The function.
        vf: SriovName,
        /// The name of its device.
        device: String,
    },
    /// The card does not know this setting.
    NoSetting {
        /// The card.
        pf: SriovName,
        /// The function.
        vf: SriovName,
        /// What is wanted.
        setting: VfSetting,
    },
    /// Several VMs on this node have the same function.
    Shared {
        /// The card; `None` where that is not known.
        pf: Option<SriovName>,
        /// The function.
        vf: SriovName,
        /// The VMs; the first has it.
        by: Vec<VmUuid>,
    },
    /// A function that is configured no more is still used.
    StillUsed {
        /// The card, if it is known.
        pf: Option<SriovName>,
        /// The function.
        vf: SriovName,
        /// The VMs.
        by: Vec<VmUuid>,
    },
}

impl Note {
    /// The card it is about.
    #[must_use]
    pub const fn card(&self) -> Option<&SriovName> {
        match self {
            Self::Unseen { pf, .. }
            | Self::NoDevice { pf }
            | Self::NoSriov { pf }
            | Self::TooMany { pf, .. }
            | Self::InUse { pf, .. }
            | Self::OtherName { pf, .. }
            | Self::NoSetting { pf, .. } => Some(pf),
            Self::Shared { pf, .. } | Self::StillUsed { pf, .. } => pf.as_ref(),
        }
    }

    /// What is the matter, for people.
    #[must_use]
    pub fn text(&self, view: &View) -> String {
        match self {
            Self::Unseen { pf, why } => format!("{pf} cannot be looked at: {why}"),
            Self::NoDevice { pf } => format!("there is no network device {pf}"),
            Self::NoSriov { pf } => {
                format!("{pf} cannot be divided: this kernel or the card knows no SR-IOV")
            }
            Self::TooMany { pf, wanted, capacity } => {
                format!("{pf} cannot be divided into {wanted} VFs, {capacity} is the most")
            }
            Self::InUse { pf, present, wanted, by, devices } => {
                let by_vms =
                    (!by.is_empty()).then(|| format!("VMs use them ({})", names(view, by)));
                let by_host = (!devices.is_empty())
                    .then(|| format!("{} are switched on", devices.join(", ")));
                let why: Vec<String> = by_vms.into_iter().chain(by_host).collect();
                format!(
                    "{pf} has {present} VFs, {wanted} are configured; it is not divided anew while {}",
                    why.join(" and ")
                )
            }
            Self::OtherName { vf, device, .. } => {
                format!("the device of VF {vf} is called {device}, so no VM can have it by macvtap")
            }
            Self::NoSetting { vf, setting, .. } => {
                format!("the card does not know how to set {setting} on VF {vf}")
            }
            Self::Shared { vf, by, .. } => {
                format!("several VMs here have VF {vf}: {}", names(view, by))
            }
            Self::StillUsed { vf, by, .. } => {
                format!("VF {vf} is configured no more, but used by {}", names(view, by))
            }
        }
    }
}

/// What there is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Changes to this machine, in order. What a division makes is seen only after it.
    pub steps: Vec<Step>,
    /// Changes to the tree, each by itself.
    pub writes: Vec<Write>,
    /// What cannot be had.
    pub notes: Vec<Note>,
}
