//! A service of the primary that has moods, as systemd and programs have.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};

use pvc_plan::primary::{Holding, Phase};
use pvcnoded::outfit::{Doing, Part};
use pvcnoded::primary::OutfitError;

/// What is wrong with the service of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It is not there at all.
    Absent,
    /// A look at it fails.
    Unseen,
    /// A look at it does not end.
    Silent,
    /// It is not there, and takes for ever to be had.
    Slow,
}

/// The moods of all nodes' services. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Moods(Arc<Mutex<BTreeMap<String, Mood>>>);

impl Moods {
    /// From now on a node's service is in this mood.
    pub(crate) fn set(&self, node: &str, mood: Mood) {
        self.0.lock().unwrap().insert(node.to_owned(), mood);
    }

    /// The service of a node.
    pub(crate) fn of(&self, node: &str) -> Moody {
        Moody { node: node.to_owned(), moods: self.clone() }
    }
}

/// The service of a node.
pub(crate) struct Moody {
    node: String,
    moods: Moods,
}

impl Moody {
    fn mood(&self) -> Mood {
        self.moods.0.lock().unwrap().get(&self.node).copied().unwrap_or(Mood::Absent)
    }
}

impl Part for Moody {
    fn name(&self) -> &'static str {
        "moody.service"
    }

    fn phase(&self) -> Phase {
        Phase::Services
    }

    fn held(&self) -> Doing<'_, Holding> {
        Box::pin(async {
            match self.mood() {
                Mood::Absent => Ok(Holding::of([])),
                Mood::Unseen => Err(OutfitError { what: "cannot be seen".to_owned() }),
                Mood::Silent => pending().await,
                Mood::Slow => Ok(Holding::NOTHING),
            }
        })
    }

    fn take_up(&self) -> Doing<'_, ()> {
        Box::pin(async {
            match self.mood() {
                Mood::Absent | Mood::Unseen => Ok(()),
                Mood::Silent | Mood::Slow => pending().await,
            }
        })
    }

    fn lay_down(&self) -> Doing<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}
