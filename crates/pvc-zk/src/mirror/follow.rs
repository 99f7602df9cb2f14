//! The task that reads what changed and publishes a view after each batch.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::Image;
use super::gauge::Gauge;
use super::todo::{Inbox, Todo};
use crate::error::TreeError;
use crate::tree::{Entry, Tree};
use crate::walk::{STEP, Visitor, walk};

/// Before what could not be read is tried again, if nothing else happens.
const RETRY: Duration = Duration::from_secs(1);
/// How often is read before a view is published, while changes keep coming.
const READINGS: usize = 3;

/// Follows until nobody wants the view any more, or the tree is closed.
pub(super) fn follow<T: Tree, I: Image>(
    tree: T,
    roots: &[&str],
    image: I,
    publish: watch::Sender<Option<Arc<I::View>>>,
    gauge: Gauge,
) -> impl Future<Output = ()> + Send + use<T, I> {
    let inbox = Inbox::new(roots.iter().map(|root| tree.watch(root)).collect());
    let follower = Follower { tree, image, todo: Todo::new(roots), gauge, publish };
    follower.run(inbox)
}

struct Follower<T, I: Image> {
    tree: T,
    image: I,
    todo: Todo,
    gauge: Gauge,
    publish: watch::Sender<Option<Arc<I::View>>>,
}

impl<T: Tree, I: Image> Follower<T, I> {
    async fn run(mut self, mut inbox: Inbox) {
        loop {
            let unfinished = !self.todo.is_empty();
            let wants = |path: &str| self.image.wants(path);
            tokio::select! {
                more = inbox.next(&mut self.todo, wants) => if more.is_err() { break },
                () = tokio::time::sleep(RETRY), if unfinished => {}
                () = self.publish.closed() => return,
            }
            match self.catch_up(&mut inbox).await {
                Ok(()) => self.gauge.settled(),
                Err(error) => {
                    self.gauge.stale();
                    tracing::warn!("mirror: behind the tree: {error}");
                }
            }
        }
        self.gauge.stale();
    }

    /// Reads all that is to be read, and publishes it.
    ///
    /// A server tells of the changes of one transaction one by one, and of all before it answers the
    /// reading of any. So what has come meanwhile is read, too, before half of it is shown.
    async fn catch_up(&mut self, inbox: &mut Inbox) -> Result<(), TreeError> {
        let mut changed = self.read().await?;
        for _ in 1..READINGS {
            inbox.take(&mut self.todo, |path| self.image.wants(path));
            if self.todo.is_empty() {
                break;
            }
            changed |= self.read().await?;
        }
        if changed && (self.gauge.all_read() || self.publish.borrow().is_some()) {
            self.publish.send_replace(Some(self.image.snapshot()));
        }
        Ok(())
    }

    /// Whether there was anything to be read.
    async fn read(&mut self) -> Result<bool, TreeError> {
        Ok(self.read_roots().await? | self.read_paths().await?)
    }

    async fn read_roots(&mut self) -> Result<bool, TreeError> {
        let mut changed = false;
        while let Some(&root) = self.todo.roots.first() {
            let name = &self.todo.names[root];
            let began = Instant::now();
            self.gauge.begin(root);
            self.image.clear(name);
            let mut loading = Loading { image: &mut self.image, znodes: 0 };
            walk(&self.tree, name, &mut loading).await?;
            tracing::debug!(
                path = name,
                znodes = loading.znodes,
                elapsed_ms = began.elapsed().as_millis(),
                "mirror: read {name}"
            );
            self.gauge.done(root);
            self.todo.roots.remove(&root);
            changed = true;
        }
        Ok(changed)
    }

    async fn read_paths(&mut self) -> Result<bool, TreeError> {
        let mut changed = false;
        while !self.todo.paths.is_empty() {
            let step: Vec<String> = self.todo.paths.iter().take(STEP).cloned().collect();
            let entries = self.tree.get_many(&step).await?;
            for (path, entry) in step.iter().zip(&entries) {
                let data = entry.as_ref().map(|entry| (&*entry.data, entry.version));
                self.image.set(path, data);
                self.todo.paths.remove(path);
            }
            changed = true;
        }
        Ok(changed)
    }
}

/// An image that is being read whole.
struct Loading<'a, I> {
    image: &'a mut I,
    znodes: usize,
}

impl<I: Image> Visitor for Loading<'_, I> {
    fn wants(&self, path: &str) -> bool {
        self.image.wants(path)
    }

    fn visit(&mut self, path: &str, entry: Entry) {
        self.znodes += 1;
        self.image.set(path, Some((&entry.data, entry.version)));
    }
}
