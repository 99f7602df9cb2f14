//! Starts that libvirt may still be at, although nobody waits for them.
//!
//! libvirt goes on with a start whose caller has died or has given up waiting, and shows nothing of
//! the VM until QEMU is there: 3.3 s with libvirt 9.0 on a slow machine. A VM that is not seen may
//! therefore be about to run. So each start is written down before libvirt is asked, in a file that
//! goes with this boot, until libvirt has answered. While it stands, the VM's absence says nothing:
//! until the VM is seen, or libvirt has answered other questions for a minute.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pvc_common::id::VmUuid;
use pvc_plan::vm::UNSEEN;

/// The starts of this boot that have not been answered. Clones are the same.
#[derive(Clone, Debug)]
pub struct Starts(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    directory: PathBuf,
    /// By VM: nobody waits for its start any more, and since when libvirt has answered meanwhile.
    unanswered: BTreeMap<VmUuid, Option<Instant>>,
    /// The VMs whose start is being waited for.
    waited_for: BTreeSet<VmUuid>,
}

impl Starts {
    /// The starts of which a former daemon of this boot has left a file in `directory`.
    #[must_use]
    pub fn found(directory: PathBuf) -> Self {
        let names = fs::read_dir(&directory).into_iter().flatten().flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        let vms: BTreeMap<VmUuid, Option<Instant>> =
            names.filter_map(|name| Some((name.parse().ok()?, None))).collect();
        for vm in vms.keys() {
            tracing::warn!(vm.uuid = %vm, "a former daemon was starting it: libvirt may be at it");
        }
        let waited_for = BTreeSet::new();
        Self(Arc::new(Mutex::new(Inner { directory, unanswered: vms, waited_for })))
    }

    /// Writes down that libvirt is about to be asked to start a VM.
    ///
    /// # Errors
    /// When it could not be written: then libvirt must not be asked.
    pub(super) fn begin(&self, vm: VmUuid) -> io::Result<()> {
        let mut inner = self.inner();
        fs::create_dir_all(&inner.directory)?;
        fs::write(inner.file(vm), "")?;
        inner.unanswered.remove(&vm);
        inner.waited_for.insert(vm);
        Ok(())
    }

    /// Libvirt has said what became of it, or that is not known: then it may still happen.
    pub(super) fn end(&self, vm: VmUuid, answered: bool) {
        let mut inner = self.inner();
        inner.waited_for.remove(&vm);
        if answered {
            inner.forget(vm);
        } else {
            inner.unanswered.insert(vm, None);
        }
    }

    /// Takes in which VMs libvirt shows; `None`: it does not answer.
    pub(super) fn look(&self, here: Option<&BTreeSet<VmUuid>>, now: Instant) {
        let mut inner = self.inner();
        let mut over = Vec::new();
        for (vm, since) in &mut inner.unanswered {
            match here {
                None => *since = None,
                Some(here) => {
                    let since = *since.get_or_insert(now);
                    if here.contains(vm) || now.saturating_duration_since(since) >= UNSEEN {
                        over.push(*vm);
                    }
                }
            }
        }
        over.into_iter().for_each(|vm| inner.forget(vm));
    }

    /// Until when the absence of a VM says nothing, as of the last look; `None`: it does.
    pub(super) fn in_doubt(&self, vm: VmUuid) -> Option<Instant> {
        let inner = self.inner();
        let since = inner.unanswered.get(&vm)?;
        since.map(|since| since + UNSEEN)
    }

    /// Whether libvirt may be starting anything.
    #[must_use]
    pub fn is_any_open(&self) -> bool {
        let inner = self.inner();
        !inner.unanswered.is_empty() || !inner.waited_for.is_empty()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change is complete before the guard goes.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn file(&self, vm: VmUuid) -> PathBuf {
        self.directory.join(vm.to_string())
    }

    fn forget(&mut self, vm: VmUuid) {
        self.unanswered.remove(&vm);
        match fs::remove_file(self.file(vm)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, vm.uuid = %vm, "its start is still written down");
            }
            Ok(()) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn vm() -> VmUuid {
        "00000000-0000-4000-8000-000000000001".parse().unwrap()
    }

    fn base() -> Instant {
        Instant::now()
    }

    #[test]
    fn an_answered_start_leaves_no_doubt() {
        let directory = tempfile::tempdir().unwrap();
        let starts = Starts::found(directory.path().join("starts"));
        starts.begin(vm()).unwrap();
        assert!(starts.is_any_open());
        starts.end(vm(), true);
        assert!(!starts.is_any_open() && starts.in_doubt(vm()).is_none());
        assert!(!Starts::found(directory.path().join("starts")).is_any_open());
    }

    #[test]
    fn a_start_is_in_doubt_until_it_is_seen_or_libvirt_has_answered_for_a_minute() {
        let directory = tempfile::tempdir().unwrap();
        Starts::found(directory.path().to_owned()).begin(vm()).unwrap();
        let (now, none) = (base(), BTreeSet::new());
        for (looks, open) in [
            (vec![(0, Some(&none)), (59, Some(&none))], true),
            (vec![(0, Some(&none)), (60, Some(&none))], false),
            (vec![(0, Some(&none)), (50, None), (60, Some(&none)), (119, Some(&none))], true),
            (vec![(0, Some(&none)), (1, Some(&BTreeSet::from([vm()])))], false),
        ] {
            fs::write(directory.path().join(vm().to_string()), "").unwrap();
            let starts = Starts::found(directory.path().to_owned());
            for (seconds, here) in &looks {
                starts.look(*here, now + Duration::from_secs(*seconds));
            }
            assert_eq!(starts.in_doubt(vm()).is_some(), open, "{looks:?}");
            assert_eq!(Starts::found(directory.path().to_owned()).is_any_open(), open, "{looks:?}");
        }
    }

    #[test]
    fn what_cannot_be_written_down_is_not_begun() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Starts::found(file).begin(vm()).is_err());
    }
}
