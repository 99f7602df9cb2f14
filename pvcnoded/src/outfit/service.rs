//! A unit of systemd that runs where the primary is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pvc_host::{UnitState, Units};
use pvc_plan::primary::{Holding, Phase};
use tokio::time::Instant;

use super::{Doing, Part, failure};
use crate::primary::OutfitError;

/// For how long a service has to run on until it is taken to do so: one that ends whenever it was
/// started runs now and then.
const STEADY: Duration = Duration::from_secs(30);

/// A service of the primary. One that is not installed is neither missed nor started. Clones are the
/// same.
#[derive(Clone, Debug)]
pub struct Service<U> {
    units: U,
    unit: String,
    course: Arc<Mutex<Course>>,
}

/// How it ran.
#[derive(Debug, Default)]
struct Course {
    /// Whether it was started here, and is to run on.
    started: bool,
    /// When it was last seen to have ended by itself.
    ended: Option<Instant>,
}

impl<U: Units> Service<U> {
    /// The service that this unit is.
    pub fn new(units: U, unit: impl Into<String>) -> Self {
        Self { units, unit: unit.into(), course: Arc::default() }
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it is doing, and whether it ended by itself lately.
    async fn look(&self) -> Result<(UnitState, bool), OutfitError> {
        let state = self.units.state(&self.unit).await.map_err(failure)?;
        let mut course = self.course();
        let ended = match state {
            UnitState::Restarting => true,
            // Systemd is not to start it again, by the status with which it ended.
            UnitState::Failed | UnitState::Inactive => course.started,
            UnitState::Active | UnitState::Starting | UnitState::Stopping | UnitState::Absent => {
                false
            }
        };
        if ended {
            course.ended = Some(Instant::now());
        }
        Ok((state, course.ended.is_some_and(|at| at.elapsed() < STEADY)))
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
            Ok(match self.look().await? {
                (UnitState::Active | UnitState::Starting, false) => Holding::EVERYTHING,
                (UnitState::Active | UnitState::Starting, true)
                | (UnitState::Stopping | UnitState::Restarting, _) => {
                    Holding { any: true, all: false }
                }
                (UnitState::Inactive | UnitState::Failed, _) => Holding::NOTHING,
                (UnitState::Absent, _) => Holding::of([]),
            })
        })
    }

    fn take_up(&self) -> Doing<'_, ()> {
        Box::pin(async {
            let (state, ended) = self.look().await?;
            match state {
                UnitState::Absent => return Ok(()),
                // Systemd is at it.
                UnitState::Restarting => {}
                UnitState::Active
                | UnitState::Starting
                | UnitState::Stopping
                | UnitState::Inactive
                | UnitState::Failed => self.units.start(&self.unit).await.map_err(failure)?,
            }
            self.course().started = true;
            if ended {
                let what = "it ends by itself and is started again".to_owned();
                return Err(OutfitError { what });
            }
            Ok(())
        })
    }

    fn lay_down(&self) -> Doing<'_, ()> {
        Box::pin(async {
            *self.course() = Course::default();
            self.units.stop(&self.unit).await.map_err(failure)
        })
    }
}

#[cfg(test)]
mod tests {
    use pvc_host::fake::FakeHost;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_that_ends_again_and_again_is_in_trouble_until_it_runs_on() {
        let host = FakeHost::new();
        host.install_unit("a.service");
        let service = Service::new(host.clone(), "a.service");
        service.take_up().await.unwrap();
        assert_eq!(service.held().await, Ok(Holding::EVERYTHING));
        host.crash_unit("a.service");
        let some = Ok(Holding { any: true, all: false });
        assert_eq!(service.held().await, some.clone());
        let trouble = service.take_up().await.unwrap_err();
        assert!(trouble.what.contains("ends by itself"), "{trouble}");
        // It is up for a moment, as it is now and then.
        host.start("a.service").await.unwrap();
        let seen = (some.clone(), Err(trouble.clone()));
        assert_eq!((service.held().await, service.take_up().await), seen);
        tokio::time::advance(STEADY).await;
        assert_eq!(service.held().await, Ok(Holding::EVERYTHING));
        service.take_up().await.unwrap();
        // A status after which systemd lets it be.
        host.fail_unit("a.service");
        assert_eq!(service.held().await, Ok(Holding::NOTHING));
        assert_eq!(service.take_up().await.unwrap_err(), trouble);
        assert_eq!((service.held().await, service.take_up().await), (some, Err(trouble)));
    }

    #[tokio::test(start_paused = true)]
    async fn how_it_ended_before_this_node_was_primary_is_no_trouble() {
        let host = FakeHost::new();
        host.fail_unit("a.service");
        let service = Service::new(host.clone(), "a.service");
        service.take_up().await.unwrap();
        service.lay_down().await.unwrap();
        host.fail_unit("a.service");
        service.take_up().await.unwrap();
        assert_eq!(service.held().await, Ok(Holding::EVERYTHING));
    }
}
