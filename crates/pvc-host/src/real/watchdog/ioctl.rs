//! The kernel's questions and orders to a watchdog, of `linux/watchdog.h`.
#![expect(
    unsafe_code,
    reason = "the standard library has no ioctl; each call says why it is sound"
)]

use std::fs::File;
use std::os::fd::AsRawFd;

use libc::c_int;
use nix::errno::Errno;

/// The device is disarmed by closing it only if a `V` was written right before.
const MAGIC_CLOSE: u32 = 0x0100;

/// Stop, in the words of the order that sets options.
const DISABLE_CARD: c_int = 0x0001;

/// What a driver says of its device.
#[repr(C)]
#[derive(Default)]
struct Info {
    options: u32,
    firmware_version: u32,
    identity: [u8; 32],
}

mod raw {
    use super::Info;
    use libc::c_int;

    nix::ioctl_read!(get_support, b'W', 0, Info);
    // The kernel declares it as if it were read, but takes the value.
    nix::ioctl_read!(set_options, b'W', 4, c_int);
    nix::ioctl_readwrite!(set_timeout, b'W', 6, c_int);
    nix::ioctl_read!(get_timeout, b'W', 7, c_int);
}

/// Whether the device stays armed when its program just dies.
pub(super) fn waits_for_goodbye(device: &File) -> Result<bool, Errno> {
    let mut info = Info::default();
    // SAFETY: the descriptor is open, and `info` is laid out as the kernel's structure.
    unsafe { raw::get_support(device.as_raw_fd(), &raw mut info) }?;
    Ok(info.options & MAGIC_CLOSE != 0)
}

/// Gives the device a timeout, which it may round.
pub(super) fn set_timeout(device: &File, mut seconds: i32) -> Result<(), Errno> {
    // SAFETY: the descriptor is open, and the number lives throughout the call.
    unsafe { raw::set_timeout(device.as_raw_fd(), &raw mut seconds) }.map(drop)
}

/// The timeout that the device really has, in seconds.
pub(super) fn timeout(device: &File) -> Result<i32, Errno> {
    let mut seconds = 0;
    // SAFETY: the descriptor is open, and the number lives throughout the call.
    unsafe { raw::get_timeout(device.as_raw_fd(), &raw mut seconds) }?;
    Ok(seconds)
}

/// Stops the device: `EBUSY` if it is not to be stopped, another error if it does not know how.
pub(super) fn stop(device: &File) -> Result<(), Errno> {
    let mut options = DISABLE_CARD;
    // SAFETY: the descriptor is open, and the number lives throughout the call.
    unsafe { raw::set_options(device.as_raw_fd(), &raw mut options) }.map(drop)
}
