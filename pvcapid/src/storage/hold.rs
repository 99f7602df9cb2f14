//! Two requests do not change one object of the storage at once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::api::ApiError;

/// What is being changed. Cloning shares it.
#[derive(Clone, Default)]
pub(super) struct Holds(Arc<Mutex<BTreeSet<String>>>);

impl Holds {
    /// Has objects for oneself until the answer is dropped; refused if one of them is held. Nobody
    /// waits here: what Ceph is doing may take long.
    pub(super) fn hold(&self, wanted: &[String]) -> Result<Hold, ApiError> {
        let mut held = self.held();
        if let Some(busy) = wanted.iter().find(|name| held.contains(*name)) {
            let message = format!("ERROR: {busy} is being changed; try again when that is done.");
            return Err(ApiError::refused("busy", message));
        }
        held.extend(wanted.iter().cloned());
        Ok(Hold { holds: self.clone(), names: wanted.to_vec() })
    }

    fn held(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // Every change is complete before the guard goes, so a panic elsewhere harms nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Objects that are held; dropping it lets them go.
pub(super) struct Hold {
    holds: Holds,
    names: Vec<String>,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut held = self.holds.held();
        for name in &self.names {
            held.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_refused_until_it_is_let_go() {
        let holds = Holds::default();
        let [one, both, other] = [&["a"][..], &["b", "a"], &["b"]]
            .map(|names| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        let held = holds.hold(&one).unwrap();
        let busy = holds.hold(&both).err().unwrap();
        assert!(busy.to_string().contains("a is being changed"), "{busy}");
        drop(holds.hold(&other).unwrap());
        drop(held);
        assert!(holds.hold(&both).is_ok());
    }
}
