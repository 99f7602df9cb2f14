//! The contract of the port, kept by the fake and by Ceph's own programs on a real cluster alike.
//!
//! The real part needs Debian's packages `ceph-common`, `ceph-mgr`, `ceph-mon`, `ceph-osd` and
//! `fio`, for images `qemu-block-extra` and `qemu-utils`, and for disks `udev`. It makes a cluster
//! of its own in a namespace, of one of each, that keeps everything in memory; OSDs are made on a
//! file.
//! `PVC_TEST_NO_SERVICES=1` leaves it out.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cases;
mod cluster;
mod fake;
mod machine;
mod rack;
mod real;
mod site;
mod space;
