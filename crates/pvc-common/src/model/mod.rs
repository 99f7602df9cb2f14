//! Nodes, VMs and the cluster as the tree holds them: plain values, each with its version.

mod node;
mod vm;

pub use node::{Node, StaticData};
pub use vm::{Claim, Origin, Resources, Vm};
