//! The port to libvirt.
