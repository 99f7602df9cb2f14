//! The tree of a real ensemble, by `zookeeper-client`.
//!
//! One task (`link`) owns the session and replaces it when it ends; reads wait for it and are
//! repeated, writes wait for it and are tried once, watches are armed anew after each
//! reconnection.

mod link;
mod read;
mod watch;
mod write;

use std::sync::Arc;
use std::time::Duration;

use pvc_common::zk::Op;
use tokio::sync::{mpsc, watch as channel};

use crate::error::{CommitError, TreeError};
use crate::outbox::outbox;
use crate::tree::{Change, Enlisted, Entry, Session, Tree};
use link::Links;

/// How patient a [`ZkTree`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long the ensemble keeps a session it does not hear from.
    ///
    /// With less than 10 s, a slow election under load ends sessions.
    pub session_timeout: Duration,
    /// How long a call may take, waiting for a session included.
    pub call_limit: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { session_timeout: Duration::from_secs(10), call_limit: Duration::from_secs(5) }
    }
}

/// The tree of a real ensemble. Clones share one session.
///
/// The session is closed when the last clone and the last watch are dropped, or by
/// [`ZkTree::close`].
#[derive(Clone, Debug)]
pub struct ZkTree {
    links: Links,
    session: channel::Receiver<Session>,
    closing: Arc<channel::Sender<bool>>,
    limit: Duration,
}

impl ZkTree {
    /// Begins to connect to one of `hosts` (`name`, `name:port` or `[address]:port`), and goes on
    /// trying for as long as it exists; [`Tree::session`] tells when it succeeded.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn connect(hosts: Vec<String>, settings: Settings) -> Self {
        let (publisher, links, session) = link::publisher();
        let (closing, asked_to_close) = channel::channel(false);
        tokio::spawn(link::supervise(hosts, settings, publisher, asked_to_close));
        Self { links, session, closing: Arc::new(closing), limit: settings.call_limit }
    }

    /// Ends the session now, and with it what is ephemeral; later calls are refused.
    ///
    /// Returns once the server knows, or after the call limit. For an orderly end of a process:
    /// a session that is not closed holds its locks until it times out.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        let mut links = self.links.clone();
        let closed = link::closed(&mut links);
        if tokio::time::timeout(self.limit, closed).await.is_err() {
            tracing::warn!("zookeeper: the session could not be closed in time; it will time out");
        }
    }
}

impl Tree for ZkTree {
    async fn get(&self, path: &str) -> Result<Option<Entry>, TreeError> {
        let found = self.get_many(&[path.to_owned()]).await?;
        Ok(found.into_iter().next().flatten())
    }

    async fn get_many(&self, paths: &[String]) -> Result<Vec<Option<Entry>>, TreeError> {
        read::read::<Entry>(&self.links, self.limit, paths).await
    }

    async fn children(&self, path: &str) -> Result<Option<Vec<String>>, TreeError> {
        let found = self.children_many(&[path.to_owned()]).await?;
        Ok(found.into_iter().next().flatten())
    }

    async fn children_many(&self, paths: &[String]) -> Result<Vec<Option<Vec<String>>>, TreeError> {
        read::read::<Vec<String>>(&self.links, self.limit, paths).await
    }

    async fn commit(&self, ops: Vec<Op>) -> Result<(), CommitError> {
        write::commit(&self.links, self.limit, &ops).await
    }

    async fn enlist(&self, prefix: &str, data: Vec<u8>) -> Result<Enlisted, CommitError> {
        write::enlist(&self.links, self.limit, prefix, &data).await
    }

    fn watch(&self, root: &str) -> mpsc::Receiver<Change> {
        let (outbox, reader) = outbox();
        tokio::spawn(watch::pump(self.links.clone(), root.to_owned(), outbox));
        reader
    }

    fn session(&self) -> channel::Receiver<Session> {
        self.session.clone()
    }
}
