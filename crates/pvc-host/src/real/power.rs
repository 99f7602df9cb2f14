//! This machine's power by way of `reboot(2)`.

use nix::sys::reboot::{RebootMode, reboot};

use crate::{PowerError, SelfPower};

/// The power of the machine, or of the container, that this program runs in.
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelPower;

impl SelfPower for KernelPower {
    fn cut(&self) -> Result<(), PowerError> {
        match reboot(RebootMode::RB_POWER_OFF) {
            Ok(never) => match never {},
            Err(errno) => Err(PowerError::Refused { source: errno.into() }),
        }
    }
}
