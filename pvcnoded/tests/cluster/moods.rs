//! Parts of the primary that have moods, as systemd and programs have.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};

use pvc_plan::primary::{Holding, Phase};
use pvcnoded::outfit::{Doing, Part};
use pvcnoded::primary::OutfitError;

/// What is wrong with the part of a node.
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

/// The moods of all nodes' parts, one in each phase. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Moods(Arc<Mutex<BTreeMap<(String, Phase), Mood>>>);

impl Moods {
    /// From now on a node's part of a phase is in this mood.
    pub(crate) fn set(&self, node: &str, phase: Phase, mood: Mood) {
        self.0.lock().unwrap().insert((node.to_owned(), phase), mood);
    }

    /// The part of a node.
    pub(crate) fn of(&self, node: &str, phase: Phase) -> Moody {
        Moody { of: (node.to_owned(), phase), moods: self.clone() }
    }
}

/// A part of a node.
pub(crate) struct Moody {
    of: (String, Phase),
    moods: Moods,
}

impl Moody {
    fn mood(&self) -> Mood {
        self.moods.0.lock().unwrap().get(&self.of).copied().unwrap_or(Mood::Absent)
    }
}

impl Part for Moody {
    fn name(&self) -> &'static str {
        "moody"
    }

    fn phase(&self) -> Phase {
        self.of.1
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
