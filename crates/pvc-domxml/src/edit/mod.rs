//! Changes one thing in a definition and leaves every other byte as it was: comments, blanks,
//! the order of attributes and elements this crate has never heard of.

mod build;
mod device;
mod disk;
mod interface;
mod size;
mod splice;

pub(crate) use splice::tags;

pub use build::{bridge_interface, hostdev_interface, macvtap_interface};
pub use device::{add_device, disk_elements, interface_elements, remove_device};
pub use disk::{DiskChange, NewDisk, add_disk, remove_disk};
pub use interface::{Connection, InterfaceChange, NewInterface, add_interface, remove_interface};
pub use size::{set_memory, set_name, set_vcpus};

use crate::error::DefinitionError;

/// Why a definition was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is no definition, or lacks what was to be changed.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The device is not XML.
    #[error("the device is {0}")]
    NoDevice(DefinitionError),
    /// The device does not say which one it is.
    #[error("<{element}> has no {lacks}, so it cannot be told from others")]
    Nameless {
        /// Its element.
        element: String,
        /// What tells such devices apart.
        lacks: &'static str,
    },
    /// There is a device like this already.
    #[error("the VM already has {which}")]
    AlreadyThere {
        /// Which.
        which: String,
    },
    /// There is no such device.
    #[error("the VM has no {which}")]
    NotThere {
        /// Which.
        which: String,
    },
    /// There are several that are meant.
    #[error("the VM has more than one {which}: {among}")]
    Several {
        /// What is meant.
        which: String,
        /// What tells them apart.
        among: String,
    },
    /// Sockets, cores and threads do not multiply to the number of processors.
    #[error("topology {topology} is not {vcpus} vCPUs")]
    TopologyMismatch {
        /// The topology.
        topology: crate::Topology,
        /// The number of processors.
        vcpus: pvc_common::unit::Vcpus,
    },
}
