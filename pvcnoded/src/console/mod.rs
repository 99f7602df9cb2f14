//! The last lines of each VM's console, in the tree within a second of being written.

mod tail;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::VmUuid;
use pvc_common::observed::ObservedVm;
use pvc_common::zk::key;
use pvc_runtime::drain::Drain;
use pvc_zk::Tree;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::Instrument;

use crate::own_keys::OwnKeys;
use tail::Tail;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_millis(500);

/// Where consoles are logged and how much of them is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Directory with one `<VM name>.log` per VM.
    pub directory: PathBuf,
    /// Lines that are kept per VM.
    pub lines: usize,
}

/// Publishes the consoles of the VMs that run here, until drained.
pub async fn run<T: Tree>(
    tree: T,
    settings: Settings,
    here: watch::Receiver<Arc<Vec<ObservedVm>>>,
    drain: Drain,
) {
    let mut watcher = Watcher { keys: OwnKeys::new(tree), settings, here, tails: BTreeMap::new() };
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let rounds = async {
        loop {
            ticks.tick().await;
            watcher.round().await;
        }
    };
    tokio::select! {
        biased;
        () = drain.drained() => {}
        () = rounds.instrument(tracing::info_span!("console")) => {}
    }
}

struct Watcher<T> {
    keys: OwnKeys<T>,
    settings: Settings,
    here: watch::Receiver<Arc<Vec<ObservedVm>>>,
    tails: BTreeMap<VmUuid, Tail>,
}

impl<T: Tree> Watcher<T> {
    /// Looks at every file once; one more time at those of VMs that have just gone, for their
    /// last words.
    async fn round(&mut self) {
        let here = self.here.borrow_and_update().clone();
        for vm in here.iter() {
            let path = self.settings.directory.join(format!("{}.log", vm.name));
            self.tails.entry(vm.uuid).or_insert_with(|| Tail::new(path, self.settings.lines));
        }
        let tails = std::mem::take(&mut self.tails);
        for (uuid, tail) in tails {
            // Files are small reads from the page cache, but a full disk can make them wait.
            let Ok((mut tail, text)) = tokio::task::spawn_blocking(move || tail.look()).await
            else {
                continue;
            };
            if let Some(text) = text {
                let path = key::vm_console_log(uuid).into_path();
                if let Err(error) = self.keys.publish(&[(path, text)]).await {
                    tracing::debug!(vm.uuid = %uuid, %error, "console not published");
                    // It may be a prompt that nothing follows.
                    tail.forget();
                }
            }
            if here.iter().any(|vm| vm.uuid == uuid) {
                self.tails.insert(uuid, tail);
            } else {
                self.keys.forget(key::vm_console_log(uuid).path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pvc_common::observed::RunState;
    use pvc_common::unit::{Mib, Vcpus};
    use pvc_common::zk::{Expected, Op};
    use pvc_runtime::drain::drain;
    use pvc_zk::FakeTree;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_prompt_reaches_the_tree_although_zookeeper_was_away_when_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("web1.log"), "login: ").unwrap();
        let uuid: VmUuid = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10".parse().unwrap();
        let vm = ObservedVm {
            uuid,
            name: "web1".parse().unwrap(),
            run: RunState::Running,
            memory: Mib(512),
            vcpus: Vcpus(1),
        };
        let tree = FakeTree::new();
        let root = key::vm_name(uuid).into_path();
        let parents = [key::DOMAINS, &root].map(|path| Op::put(path, "", Expected::Absent));
        tree.commit(parents.into()).await.unwrap();
        let node = tree.another();
        node.suspend();
        let (_here, seen) = watch::channel(Arc::new(vec![vm]));
        let (_trigger, asked) = drain();
        let settings = Settings { directory: dir.path().to_owned(), lines: 10 };
        tokio::spawn(run(node.clone(), settings, seen, asked));
        tokio::time::sleep(Duration::from_secs(30)).await;
        node.resume();
        let published = async {
            let key = key::vm_console_log(uuid);
            while tree.get(key.path()).await.unwrap().is_none_or(|e| e.data != b"login: ") {
                tokio::time::sleep(EVERY).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), published).await.unwrap();
    }
}
