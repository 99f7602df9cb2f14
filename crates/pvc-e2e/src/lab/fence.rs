//! Fences, as the cluster tells of them.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;

use super::{Lab, until};

/// How long a fence may take on a busy machine, with every proof but one out of reach.
const FENCE: Duration = Duration::from_secs(60);

/// One fence, as far as tests ask. Times are UNIX milliseconds by the clock that all hosts of a
/// lab share with this machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Fence {
    /// Which fence it is.
    pub id: String,
    /// The node that is dead, or said to be.
    pub node: String,
    /// The coordinator that works on it.
    pub by: String,
    /// `proving`, `recovering`, `finished` or `withdrawn`.
    pub phase: String,
    /// When it was condemned.
    pub condemned_ms: u64,
    /// When its death was proved.
    pub proved_ms: Option<u64>,
    /// When the last of its VMs was settled.
    pub finished_ms: Option<u64>,
    /// What is known for or against its death.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
}

/// What is known for or against a node's death.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Evidence {
    /// `ipmi`, `storage`, `watchdog`, `operator` or `reboot`.
    pub kind: String,
    /// `proved` or `failed`.
    pub verdict: String,
}

impl Fence {
    /// Whether evidence of this kind proved the death.
    #[must_use]
    pub fn proved_by(&self, kind: &str) -> bool {
        self.evidence.iter().any(|one| one.kind == kind && one.verdict == "proved")
    }

    /// Whether nothing more will come of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.phase.as_str(), "finished" | "withdrawn")
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_read_as_the_api_tells_it() {
        let told = r#"{"id": "hv3-1763695123000", "node": "hv3", "by": "hv1", "phase": "finished",
            "why": "silent", "boot": "b", "power_cut": true, "suspected_ms": 1, "condemned_ms": 2,
            "proved_ms": 3, "finished_ms": 4, "moved": [], "waiting": [], "evidence": [
            {"kind": "ipmi", "verdict": "failed", "detail": "silent", "at_ms": 2},
            {"kind": "watchdog", "verdict": "proved", "detail": "", "at_ms": 3}]}"#;
        let fence: Fence = serde_json::from_str(told).unwrap();
        assert!(fence.is_over());
        assert!(fence.proved_by("watchdog") && !fence.proved_by("ipmi"));
    }
}
