//! The port to Ceph: what fencing needs of it, pools, volumes and their snapshots.
//!
//! [`Ceph`] shuts a dead node's clients out of the storage, has its OSDs counted as down at once
//! and takes its locks away. [`Pools`] and [`Volumes`] are what people ask for. [`CephCli`] does that by Ceph's own programs; [`fake`] is a cluster
//! in memory. Both keep one contract, the latter on a real cluster. What the programs print is
//! understood by pure functions, which are tested on texts captured from Ceph 16.2.

mod cli;
pub mod fake;
mod figures;
mod parse;
mod pool;
mod port;
mod types;
mod volume;

pub use cli::CephCli;
pub use figures::{Figures, Statistics};
pub use pool::{BadReplication, NewPool, Pools, Replication};
pub use port::{Ceph, CephError};
pub use types::{Blocked, BlocklistEntry, ClientAddress, Epoch, Lock};
pub use volume::{Image, Volumes};
