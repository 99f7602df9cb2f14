//! What the cases need: a port, and clients of the storage at addresses of their own.

use std::net::Ipv4Addr;

use pvc_ceph::{Benchmark, Ceph, ImageFormat, Osds, Pools, Statistics, Uploads, Volumes};
use pvc_common::id::VolumeId;

/// A storage cluster with one OSD, number 0, and a pool `vms`.
pub(crate) trait Site {
    type Port: Benchmark + Ceph + Osds + Pools + Statistics + Uploads + Volumes;

    fn port(&self) -> &Self::Port;

    /// An address from which clients may come, another for each number.
    fn address(&self, number: u8) -> Ipv4Addr;

    /// Makes an image of 64 MiB.
    async fn create_image(&self, image: &VolumeId);

    /// A file that holds a disk.
    async fn file(&self, format: ImageFormat, disk: &[u8]) -> Vec<u8>;

    /// A qcow2 file that holds what differs from another file.
    async fn file_that_refers_to(&self, base: &str) -> Vec<u8>;

    /// The beginning of what an image holds.
    async fn content(&self, image: &VolumeId, length: usize) -> Vec<u8>;

    /// Has a client at an address write to an image from now on, which takes its lock first;
    /// returns when it has it. Whether it got it: a client that is shut out gets nothing.
    async fn writer(&self, image: &VolumeId, from: Ipv4Addr) -> bool;

    /// Locks an image as a person does, by a program that has ended when this returns.
    async fn lock_by_hand(&self, image: &VolumeId);

    /// Whether the last writer of the image still writes, once it had time to notice that it
    /// cannot.
    async fn still_writes(&self, image: &VolumeId) -> bool;

    /// By which epoch the OSD was last counted as down; 0 if it never was.
    async fn osd_last_down(&self) -> u64;

    /// Returns once the OSD, which lives, is counted as up again.
    async fn osd_comes_back(&self);
}
