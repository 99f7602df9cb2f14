//! The contract of the port, kept by the fake and by libvirt with real QEMU alike.
//!
//! The real part needs root and Debian's packages `libvirt-daemon-system` and
//! `qemu-system-x86`. It starts two libvirtds of its own, in namespaces, so that a VM can
//! really migrate; QEMU emulates, so no `/dev/kvm` is needed. `PVC_TEST_NO_SERVICES=1` leaves
//! it out.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cases;
mod fake;
mod guest;
mod macvtap;
mod private_libvirtd;
mod real;
mod site;
