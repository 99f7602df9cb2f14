//! A unit of systemd that runs where the primary is.

use pvc_host::{UnitState, Units};
use pvc_plan::primary::{Holding, Phase};

use super::{Doing, Part, failure};

/// A service of the primary. One that is not installed is neither missed nor started.
#[derive(Clone, Debug)]
pub struct Service<U> {
    units: U,
    unit: String,
}

impl<U: Units> Service<U> {
    /// The service that this unit is.
    pub fn new(units: U, unit: impl Into<String>) -> Self {
        Self { units, unit: unit.into() }
    }
}

impl<U: Units> Part for Service<U> {
    fn name(&self) -> &str {
        &self.unit
    }

    fn phase(&self) -> Phase {
        Phase::Services
    }

    fn held(&self) -> Doing<'_, Holding> {
        Box::pin(async {
            Ok(match self.units.state(&self.unit).await.map_err(failure)? {
                UnitState::Active | UnitState::Starting => Holding::EVERYTHING,
                UnitState::Stopping => Holding { any: true, all: false },
                UnitState::Inactive | UnitState::Failed => Holding::NOTHING,
                UnitState::Absent => Holding::of([]),
            })
        })
    }

    fn take_up(&self) -> Doing<'_, ()> {
        Box::pin(async {
            if self.units.state(&self.unit).await.map_err(failure)? != UnitState::Absent {
                self.units.start(&self.unit).await.map_err(failure)?;
            }
            Ok(())
        })
    }

    fn lay_down(&self) -> Doing<'_, ()> {
        Box::pin(async { self.units.stop(&self.unit).await.map_err(failure) })
    }
}
