//! The power of a machine in memory.

use super::FakeHost;
use crate::{PowerError, SelfPower};

impl FakeHost {
    /// Whether the machine cut its own power. Nothing else of it stops by that: ending what runs
    /// on it is the test's.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.machine().cut
    }

    /// Has the kernel refuse to power the machine off, or not.
    pub fn refuse_to_cut(&self, refuse: bool) {
        self.machine().refuses_to_cut = refuse;
    }
}

impl SelfPower for FakeHost {
    fn cut(&self) -> Result<(), PowerError> {
        let mut machine = self.machine();
        if machine.refuses_to_cut {
            let source = std::io::ErrorKind::PermissionDenied.into();
            return Err(PowerError::Refused { source });
        }
        machine.changes += u64::from(!machine.cut);
        machine.cut = true;
        Ok(())
    }
}
