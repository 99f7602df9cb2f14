//! What fencing needs of a machine's power: a small trait with an honest fake.

use std::future::Future;
use std::time::Duration;

use crate::bmc::Bmc;

/// Whether a machine has power, as its BMC tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerState {
    /// It runs, or could.
    On,
    /// It is off; its BMC lives on standby power.
    Off,
}

/// Why nothing is known of a machine's power, or why it was not switched.
///
/// None of these means "off". After [`PowerError::NoAnswer`] and [`PowerError::Garbled`] what was
/// asked may have been done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PowerError {
    /// Nothing came back in time.
    #[error("the BMC {host} did not answer within {} ms", waited.as_millis())]
    NoAnswer {
        /// Which BMC.
        host: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// There is no way to it: its name is unknown, no route, or nothing listens there.
    #[error("the BMC {host} cannot be reached: {why}")]
    Unreachable {
        /// Which BMC.
        host: String,
        /// What the system said.
        why: String,
    },
    /// It does not let this user in, or not that far: user, password or privilege are wrong.
    #[error("the BMC {host} denies access: {why}")]
    Denied {
        /// Which BMC.
        host: String,
        /// What it said.
        why: String,
    },
    /// It understood and will not.
    #[error("the BMC {host} refuses: {why}")]
    Refused {
        /// Which BMC.
        host: String,
        /// What it said.
        why: String,
    },
    /// It has no room for another session, or says it is busy. Later it may have.
    #[error("the BMC {host} is busy")]
    Busy {
        /// Which BMC.
        host: String,
    },
    /// No host is configured, or only a placeholder for one.
    #[error("`{host}` is no BMC's name or address")]
    Unusable {
        /// What is configured.
        host: String,
    },
    /// It said something that could not be understood.
    #[error("the BMC {host} could not be understood: {why}")]
    Garbled {
        /// Which BMC.
        host: String,
        /// What was wrong.
        why: String,
    },
    /// Only `ipmitool` could speak to it, and that could not be started.
    #[error("the BMC {host} needs `ipmitool` ({needs}), which could not be started: {why}")]
    Spawn {
        /// Which BMC.
        host: String,
        /// Why the library could not speak to it.
        needs: String,
        /// What the system said.
        why: String,
    },
}

/// The power of other machines.
///
/// Every call ends within the limit the implementation was made with, whatever the BMC does, and
/// a BMC that hangs keeps no call to another one waiting. Cloning gives another handle.
///
/// A call that was given up, because its time was over or its future was dropped, is not begun
/// any more; what had been sent already may still be done.
pub trait Power: Clone + Send + Sync + 'static {
    /// What the BMC says of the machine's power now.
    fn status(&self, bmc: &Bmc) -> impl Future<Output = Result<PowerState, PowerError>> + Send;

    /// Commands the machine off, hard: no guest, no system is asked.
    ///
    /// Success is the BMC's acknowledgement, not proof: ask [`Power::status`]. A machine that is
    /// off already is a success.
    fn off(&self, bmc: &Bmc) -> impl Future<Output = Result<(), PowerError>> + Send;

    /// Commands the machine on. One that is on already is a success, and goes on undisturbed.
    fn on(&self, bmc: &Bmc) -> impl Future<Output = Result<(), PowerError>> + Send;
}
