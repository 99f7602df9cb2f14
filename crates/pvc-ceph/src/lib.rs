//! The port to Ceph: what fencing needs of it, pools, volumes and their snapshots, and OSDs.
//!
//! [`Ceph`] shuts a dead node's clients out of the storage, has its OSDs counted as down at once
//! and takes its locks away. [`Pools`], [`Volumes`] and [`Uploads`] are what people ask for, and
//! [`Osds`] what the cluster knows of its disks; [`Benchmark`] tells how fast it is. [`CephCli`]
//! does that by Ceph's own programs. [`Disks`] are those of this machine, with the OSDs on them, by
//! [`DisksCli`]. [`fake`] is a cluster and a machine in memory. Both keep one contract, the former
//! on a real cluster. What the programs print is understood by pure functions, which are tested on
//! texts captured from Ceph 16.2 and QEMU 7.2.

mod benchmark;
mod cli;
mod disk;
pub mod fake;
mod figures;
mod osd;
mod parse;
mod pool;
mod port;
mod types;
mod upload;
mod volume;

pub use benchmark::{Benchmark, Load};
pub use cli::CephCli;
pub use cli::disks::{DisksCli, Layout};
pub use disk::{DiskError, Disks};
pub use figures::{Figures, Statistics};
pub use osd::Osds;
pub use pool::{BadReplication, NewPool, Pools, Replication};
pub use port::{Ceph, CephError};
pub use types::{Blocked, BlocklistEntry, ClientAddress, Epoch, Lock};
pub use upload::{ImageFormat, Received, Uploads};
pub use volume::{Image, Volumes};
