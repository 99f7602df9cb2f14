//! Reading and editing libvirt domain XML. Pure: text in, values or text out.
//!
//! * [`validate_definition`] decides whether a text may become a VM's definition.
//! * [`describe`] tells people what a definition holds, and is content with any domain: what it
//!   does not know it leaves out, so that no stored VM is ever hidden by an odd device.
//! * [`edit`] changes one thing and leaves every other byte as it was.
//! * [`pretty`] indents.

mod definition;
mod description;
mod device;
mod document;
pub mod edit;
mod error;
mod memory;
mod pretty;

pub use definition::{Definition, validate_definition};
pub use description::{Description, Os, Topology, Vnc, describe};
pub use device::{Controller, Disk, Interface, USUAL_CARDS, is_card};
pub use error::DefinitionError;
pub use pretty::{check_device, pretty};
