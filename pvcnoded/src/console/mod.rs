//! The last lines of each VM's console, in the tree within a second of being written.

mod tail;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::VmUuid;
use pvc_common::observed::ObservedVm;
use pvc_common::zk::key;
use pvc_domxml::describe;
use pvc_runtime::drain::Drain;
use pvc_zk::{Tree, TreeError};
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
    /// Directory with a file per VM: the one that its definition names, or `<VM name>.log`.
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
    let keys = OwnKeys::new(tree.clone());
    let mut watcher = Watcher { tree, keys, settings, here, tails: BTreeMap::new() };
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
    tree: T,
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
            if self.tails.contains_key(&vm.uuid) {
                continue;
            }
            match self.log_of(vm).await {
                Ok(path) => drop(self.tails.insert(vm.uuid, Tail::new(path, self.settings.lines))),
                // Without the tree nothing could be published, either.
                Err(error) => {
                    tracing::debug!(vm.uuid = %vm.uuid, %error, "not known where its console is");
                }
            }
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

    /// The file that a VM's console is logged to. A VM that got another name has the old one's still.
    async fn log_of(&self, vm: &ObservedVm) -> Result<PathBuf, TreeError> {
        let definition = self.tree.get(key::vm_xml(vm.uuid).path()).await?;
        let definition = definition.and_then(|entry| String::from_utf8(entry.data).ok());
        let description = definition.and_then(|xml| describe(&xml).ok());
        let named = description.into_iter().flat_map(|it| it.serial_logs).map(PathBuf::from);
        let directory = self.settings.directory.as_path();
        // No other file: what a definition names is shown to everybody who may see the VM.
        let mut ours = named.filter(|file| file.parent() == Some(directory));
        Ok(ours.next().unwrap_or_else(|| directory.join(format!("{}.log", vm.name))))
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

    const UUID: &str = "6f1c2a3e-8a61-4b07-9d43-0b1f6a2c9e10";

    fn running(name: &str) -> ObservedVm {
        ObservedVm {
            uuid: UUID.parse().unwrap(),
            name: name.parse().unwrap(),
            run: RunState::Running,
            memory: Mib(512),
            vcpus: Vcpus(1),
        }
    }

    /// A tree with that VM, of that definition.
    async fn tree(definition: &str) -> FakeTree {
        let (tree, uuid) = (FakeTree::new(), UUID.parse().unwrap());
        let root = key::vm_name(uuid).into_path();
        let parents = [key::DOMAINS, &root].map(|path| Op::put(path, "", Expected::Absent));
        let definition = key::vm_xml(uuid).create(&definition.into());
        tree.commit(parents.into_iter().chain([definition]).collect()).await.unwrap();
        tree
    }

    /// Waits for what people are shown of that VM's console.
    async fn shown(tree: &FakeTree, expected: &[u8]) {
        let key = key::vm_console_log(UUID.parse().unwrap());
        let shown = async {
            while tree.get(key.path()).await.unwrap().is_none_or(|e| e.data != expected) {
                tokio::time::sleep(EVERY).await;
            }
        };
        let shown = tokio::time::timeout(Duration::from_secs(10), shown).await;
        shown.unwrap_or_else(|_| panic!("never: {}", String::from_utf8_lossy(expected)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_prompt_reaches_the_tree_although_zookeeper_was_away_when_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("web1.log"), "login: ").unwrap();
        let tree = tree("<domain/>").await;
        let node = tree.another();
        node.suspend();
        let (_here, seen) = watch::channel(Arc::new(vec![running("web1")]));
        let (_trigger, asked) = drain();
        let settings = Settings { directory: dir.path().to_owned(), lines: 10 };
        tokio::spawn(run(node.clone(), settings, seen, asked));
        tokio::time::sleep(Duration::from_secs(30)).await;
        node.resume();
        shown(&tree, b"login: ").await;
    }

    /// A new name changes nothing of the definition but the name.
    #[tokio::test(start_paused = true)]
    async fn a_vm_that_got_another_name_while_it_was_stopped_still_shows_new_lines() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("web1.log");
        let definition = pvc_libvirt::fake::definition("web1", UUID.parse().unwrap());
        let console = format!("<console type='pty'><log file='{}'/></console>", log.display());
        let definition = definition.replace("<console type='pty'/>", &console);
        let renamed = pvc_domxml::edit::set_name(&definition, &"web2".parse().unwrap()).unwrap();
        let tree = tree(&renamed).await;
        std::fs::write(&log, "before\n").unwrap();
        let (here, seen) = watch::channel(Arc::new(vec![]));
        let (_trigger, asked) = drain();
        let settings = Settings { directory: dir.path().join(""), lines: 10 };
        tokio::spawn(run(tree.clone(), settings, seen, asked));
        here.send_replace(Arc::new(vec![running("web2")]));
        shown(&tree, b"before").await;
        std::fs::write(&log, "before\nafter\n").unwrap();
        shown(&tree, b"before\nafter").await;
    }

    #[tokio::test(start_paused = true)]
    async fn no_file_of_another_directory_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        let (consoles, secret) = (dir.path().join("consoles"), dir.path().join("secret"));
        std::fs::create_dir(&consoles).unwrap();
        std::fs::write(&secret, "secret").unwrap();
        std::fs::write(consoles.join("web1.log"), "login: ").unwrap();
        let beside = consoles.join("..").join("secret");
        for file in [secret, beside] {
            let log = format!("<serial><log file='{}'/></serial>", file.display());
            let tree = tree(&format!("<domain><devices>{log}</devices></domain>")).await;
            let (_here, seen) = watch::channel(Arc::new(vec![running("web1")]));
            let (_trigger, asked) = drain();
            let settings = Settings { directory: consoles.clone(), lines: 10 };
            tokio::spawn(run(tree.clone(), settings, seen, asked));
            shown(&tree, b"login: ").await;
        }
    }
}
