//! Whole nodes on a fake tree and a fake machine room, on virtual time.

#![expect(clippy::unwrap_used, reason = "tests")]

mod admission;
mod ailing;
mod bench;
mod benchmark;
mod chaos;
mod crash;
mod databases;
mod disks;
mod fence;
mod flush;
mod lifecycle;
mod locks;
mod mesh;
mod moods;
mod network;
mod osd;
mod primary;
mod quorum;
mod storage;
mod task;
