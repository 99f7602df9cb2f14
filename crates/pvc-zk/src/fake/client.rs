//! The calls of one client: they reach the world if there is a session, and in time.

use std::time::Duration;

use pvc_common::zk::Op;
use tokio::sync::{mpsc, watch};

use super::{CommitFault, FakeTree, locked};
use crate::error::{CommitError, TreeError};
use crate::outbox::outbox;
use crate::path::{check, fault, refused};
use crate::tree::{Change, Enlisted, Entry, Session, Tree};

impl Tree for FakeTree {
    async fn get(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        self.reach_to_read(&[path]).await?;
        Ok(locked(&self.world).get(path))
    }

    async fn get_many(&self, paths: &[String]) -> Result<Vec<Option<Entry>>, TreeError> {
        self.reach_to_read(paths).await?;
        let world = locked(&self.world);
        Ok(paths.iter().map(|path| world.get(path)).collect())
    }

    async fn children(&self, path: &str) -> Result<Option<Vec<String>>, TreeError> {
        self.reach_to_read(&[path]).await?;
        Ok(locked(&self.world).children(path))
    }

    async fn children_many(&self, paths: &[String]) -> Result<Vec<Option<Vec<String>>>, TreeError> {
        self.reach_to_read(paths).await?;
        let world = locked(&self.world);
        Ok(paths.iter().map(|path| world.children(path)).collect())
    }

    async fn commit(&self, ops: Vec<Op>) -> Result<(), CommitError> {
        let Some(first) = ops.first() else {
            return Ok(());
        };
        check(&ops)?;
        self.write(first.path(), |_| locked(&self.world).apply(self.client.number, &ops)).await
    }

    async fn enlist(&self, prefix: &str, data: Vec<u8>) -> Result<Enlisted, CommitError> {
        if let Some(why) = fault(prefix) {
            return Err(refused(prefix, why));
        }
        self.write(prefix, |epoch| {
            let path = locked(&self.world).enlist(self.client.number, prefix, data)?;
            Ok(Enlisted { path, epoch })
        })
        .await
    }

    fn watch(&self, root: &str) -> mpsc::Receiver<Change> {
        let (outbox, reader) = outbox();
        let session = self.client.session.subscribe();
        locked(&self.world).watch(self.client.number, session, root, outbox);
        reader
    }

    fn session(&self) -> watch::Receiver<Session> {
        self.client.session.subscribe()
    }
}

impl FakeTree {
    async fn reach_to_read(&self, paths: &[impl AsRef<str>]) -> Result<(), TreeError> {
        for path in paths.iter().map(AsRef::as_ref) {
            if let Some(why) = fault(path) {
                return Err(TreeError::Refused { path: path.to_owned(), why: why.to_owned() });
            }
        }
        match (paths.first(), self.reach().await) {
            (Some(first), None) => Err(TreeError::NoAnswer {
                path: first.as_ref().to_owned(),
                waited: self.client.limit,
            }),
            (Some(_), Some(_)) | (None, _) => Ok(()),
        }
    }

    /// Lets `act` write for the live session, unless the next fault is due.
    async fn write<T>(
        &self,
        path: &str,
        act: impl FnOnce(u64) -> Result<T, CommitError>,
    ) -> Result<T, CommitError> {
        let unknown = |waited| CommitError::Unknown { path: path.to_owned(), waited };
        let epoch = self.reach().await.ok_or_else(|| unknown(self.client.limit))?;
        let fault = locked(&self.client.faults).commits.pop_front();
        match fault {
            None => act(epoch),
            Some(CommitFault::UnknownButDone) => {
                act(epoch)?;
                Err(unknown(Duration::ZERO))
            }
            Some(CommitFault::UnknownAndLost) => Err(unknown(Duration::ZERO)),
        }
    }

    /// The epoch of the session that serves a call; `None` if there is none in time.
    async fn reach(&self) -> Option<u64> {
        let delay = locked(&self.client.faults).delay;
        let mut session = self.client.session.subscribe();
        let served = async {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            let live = session.wait_for(|session| session.live().is_some()).await;
            live.ok().and_then(|session| session.live())
        };
        tokio::time::timeout(self.client.limit, served).await.ok().flatten()
    }
}
