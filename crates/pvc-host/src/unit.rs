//! Services of this machine: units of systemd.

use std::future::Future;

use pvc_command::CommandError;

/// What a unit is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitState {
    /// There is no such unit, or it is masked.
    Absent,
    /// It is not running.
    Inactive,
    /// It is about to run.
    Starting,
    /// It runs.
    Active,
    /// It is about to end.
    Stopping,
    /// It ended by a failure.
    Failed,
    /// It ended by itself, and systemd is about to start it again: so it may go on for ever.
    Restarting,
}

/// Why a unit could not be controlled.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    /// There is no such unit here.
    #[error("there is no unit {unit}")]
    Absent {
        /// The unit.
        unit: String,
    },
    /// `systemctl` failed.
    #[error("could not {verb} unit {unit}")]
    Failed {
        /// What was asked.
        verb: &'static str,
        /// The unit.
        unit: String,
        /// What happened.
        #[source]
        source: CommandError,
    },
}

/// The units of this machine's systemd. Every call ends within its deadline.
pub trait Units: Send + Sync + 'static {
    /// What a unit is doing. A unit that does not exist is [`UnitState::Absent`].
    fn state(&self, unit: &str) -> impl Future<Output = Result<UnitState, UnitError>> + Send;

    /// Has a unit running, and returns once systemd says it is. Idempotent.
    fn start(&self, unit: &str) -> impl Future<Output = Result<(), UnitError>> + Send;

    /// Has a unit not running, and returns once systemd says so. Idempotent.
    fn stop(&self, unit: &str) -> impl Future<Output = Result<(), UnitError>> + Send;

    /// What many units are doing, in their order: as [`Units::state`], at the price of one question.
    fn states(
        &self,
        units: &[String],
    ) -> impl Future<Output = Result<Vec<UnitState>, UnitError>> + Send;

    /// Has many units running: those that can be, also if others cannot. Idempotent.
    fn start_all(&self, units: &[String]) -> impl Future<Output = Result<(), UnitError>> + Send;

    /// Has many units, all of which run, read again what they read when they started.
    fn reload_all(&self, units: &[String]) -> impl Future<Output = Result<(), UnitError>> + Send;

    /// Has many units not running. Idempotent.
    fn stop_all(&self, units: &[String]) -> impl Future<Output = Result<(), UnitError>> + Send;
}
