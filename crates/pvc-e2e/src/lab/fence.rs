//! Fences, as the cluster tells of them.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use pvc_common::api::Fence;

use super::{Lab, until};

/// How long a fence may take on a busy machine, with every proof but one out of reach.
const FENCE: Duration = Duration::from_secs(60);

/// Whether evidence of this kind proved the death.
#[must_use]
pub fn proved_by(fence: &Fence, kind: &str) -> bool {
    fence.evidence.iter().any(|one| one.kind == kind && one.verdict == "proved")
}

/// Whether nothing more will come of it.
#[must_use]
pub fn is_over(fence: &Fence) -> bool {
    matches!(fence.phase.as_str(), "finished" | "withdrawn")
}

/// Knows which fences there were before.
#[derive(Clone, Debug)]
pub struct Vigil<'a> {
    lab: &'a Lab,
    before: BTreeSet<String>,
}

impl Lab {
    /// The cluster's fences, over or not.
    ///
    /// # Errors
    /// When the API does not answer.
    pub fn try_fences(&self) -> Result<Vec<Fence>> {
        self.list(&["node", "fence", "list"])
    }

    /// Begins to watch for fences.
    ///
    /// # Panics
    /// When the API does not answer.
    #[must_use]
    #[track_caller]
    pub fn vigil(&self) -> Vigil<'_> {
        let fences = self.try_fences().unwrap_or_else(|error| panic!("{error:#}"));
        Vigil { lab: self, before: fences.into_iter().map(|fence| fence.id).collect() }
    }
}

impl Vigil<'_> {
    /// The fences since it began.
    ///
    /// # Errors
    /// Why they cannot be seen, for people.
    pub fn seen(&self) -> Result<Vec<Fence>, String> {
        let mut fences = self.lab.try_fences().map_err(|error| format!("{error:#}"))?;
        fences.retain(|fence| !self.before.contains(&fence.id));
        Ok(fences)
    }

    /// Waits for a fence of `node` which is as it should be, and returns it.
    ///
    /// # Panics
    /// When there is none within a minute.
    #[track_caller]
    pub fn wait_for(&self, node: &str, what: &str, is: impl Fn(&Fence) -> bool) -> Fence {
        until(&format!("a fence of {node} that is {what}"), FENCE, || {
            let fences = self.seen()?;
            let found = fences.iter().find(|fence| fence.node == node && is(fence));
            found.cloned().ok_or_else(|| format!("{fences:?}"))
        })
    }

    /// Nothing, if nobody has been fenced since it began.
    ///
    /// # Errors
    /// With the fences that there were.
    pub fn is_quiet(&self) -> Result<(), String> {
        let fences = self.seen()?;
        if fences.is_empty() { Ok(()) } else { Err(format!("{fences:?}")) }
    }
}
