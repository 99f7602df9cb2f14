//! Exclusive locks that end with their session, as upstream's client takes them.
//!
//! A contender is a sequential ephemeral znode `<32 hex digits>__lock__<10 digits>` below the
//! lock's path (`__rlock__` for upstream's readers). The lowest number holds the lock; each other
//! waits for the one before it. The identifier is the znode's data.
//!
//! Invariant: a [`Held`] says it is valid only while the session it was taken in is known to be
//! alive. What must not happen without the lock carries [`Held::proof`] in its transaction.

use std::time::Duration;

use pvc_common::zk::{Op, Version};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::{CommitError, SubtreeError, TreeError};
use crate::path::join;
use crate::subtree::ensure_path;
use crate::tree::{Session, Tree};

const MARK: &str = "__lock__";
const READER_MARK: &str = "__rlock__";
/// Contenders are written once, when they are created.
const UNTOUCHED: Version = Version(0);

/// Why a lock was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Somebody else held it all the time.
    #[error("{path} is still locked by {holder} after {} ms", waited.as_millis())]
    Busy {
        /// The lock.
        path: String,
        /// What the holder calls itself; empty if that is not known.
        holder: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The session ended while waiting, and with it the place in the queue.
    #[error("the session ended while waiting for the lock {path}")]
    SessionLost {
        /// The lock.
        path: String,
    },
    /// The tree could not be read or written.
    #[error(transparent)]
    Tree(#[from] SubtreeError),
}

impl From<TreeError> for LockError {
    fn from(error: TreeError) -> Self {
        Self::Tree(error.into())
    }
}

impl From<CommitError> for LockError {
    fn from(error: CommitError) -> Self {
        Self::Tree(error.into())
    }
}

/// Whether a name is that of a lock contender, ours or upstream's.
#[must_use]
pub fn is_contender(name: &str) -> bool {
    rank(name).is_some()
}

/// The number in a contender's name.
fn rank(name: &str) -> Option<u32> {
    let (id, rest) = name.split_at_checked(32)?;
    let number = rest.strip_prefix(MARK).or_else(|| rest.strip_prefix(READER_MARK))?;
    let is_id = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && number.len() == 10).then(|| number.parse().ok())?
}

/// The contender that `mine` has to wait for; `None` if it is its turn.
fn ahead(names: &[String], mine: u32) -> Option<&String> {
    let ranked = names.iter().filter_map(|name| Some((rank(name)?, name)));
    ranked
        .filter(|(number, _)| *number < mine)
        .max_by_key(|(number, _)| *number)
        .map(|(_, name)| name)
}

/// A lock that is held until it is released, dropped, or the session ends.
#[derive(Debug)]
pub struct Held<T: Tree> {
    place: Place<T>,
    path: String,
    epoch: u64,
}

/// Takes the lock `path`, waiting for at most `limit`; creates `path` if it is missing.
///
/// `identifier` tells people and other contenders who holds it. Giving up early, also by dropping
/// the future, leaves the queue.
///
/// # Errors
/// [`LockError::Busy`] at the limit.
pub async fn acquire<T: Tree>(
    tree: &T,
    path: &str,
    identifier: &str,
    limit: Duration,
) -> Result<Held<T>, LockError> {
    let since = Instant::now();
    let mut holder = String::new();
    match tokio::time::timeout(limit, queue(tree, path, identifier, &mut holder)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(LockError::Busy { path: path.to_owned(), holder, waited: since.elapsed() }),
    }
}

async fn queue<T: Tree>(
    tree: &T,
    path: &str,
    identifier: &str,
    holder: &mut String,
) -> Result<Held<T>, LockError> {
    ensure_path(tree, path).await?;
    let place = Place {
        tree: tree.clone(),
        parent: path.to_owned(),
        name: format!("{}{MARK}", Uuid::new_v4().simple()),
        is_ours: true,
    };
    let prefix = join(path, &place.name);
    let enlisted = tree.enlist(&prefix, identifier.as_bytes().to_vec()).await?;
    let held = Held { place, path: enlisted.path, epoch: enlisted.epoch };
    held.wait_turn(holder).await?;
    Ok(held)
}

impl<T: Tree> Held<T> {
    /// Whether it is still held, as far as can be known without asking.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.place.tree.session().borrow().live() == Some(self.epoch)
    }

    /// Waits until it cannot be relied upon any more.
    pub async fn lost(&self) {
        let mut session = self.place.tree.session();
        let other = |session: &Session| session.live() != Some(self.epoch);
        // An error means that the tree was closed: then it is lost, too.
        if session.wait_for(other).await.is_err() {
            tracing::debug!(path = self.path, "lock: the tree was closed");
        }
    }

    /// Fails the transaction it is put in, unless the lock is held at that very moment.
    #[must_use]
    pub fn proof(&self) -> Op {
        Op::Check { path: self.path.clone(), version: UNTOUCHED }
    }

    /// The session it ends with.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Gives it back.
    ///
    /// # Errors
    /// When it is not known to be given back; that is then tried on in the background until the
    /// session ends.
    pub async fn release(mut self) -> Result<(), CommitError> {
        let delete = Op::Delete { path: self.path.clone(), version: UNTOUCHED };
        match self.place.tree.commit(vec![delete]).await {
            // Gone with its session.
            Ok(()) | Err(CommitError::Superseded { .. }) => {
                self.place.is_ours = false;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn wait_turn(&self, holder: &mut String) -> Result<(), LockError> {
        let Place { tree, parent, .. } = &self.place;
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let mine = rank(name).ok_or_else(|| self.session_lost())?;
        loop {
            self.same_session(*tree.session().borrow())?;
            let names = match tree.children(parent).await {
                Ok(names) => names.unwrap_or_default(),
                Err(TreeError::NoAnswer { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            if !names.iter().any(|contender| contender == name) {
                return Err(self.session_lost());
            }
            match ahead(&names, mine) {
                None => return Ok(()),
                Some(other) => self.wait_gone(&join(parent, other), holder).await?,
            }
        }
    }

    /// Waits until the contender ahead is gone.
    async fn wait_gone(&self, other: &str, holder: &mut String) -> Result<(), LockError> {
        let tree = &self.place.tree;
        let mut session = tree.session();
        let mut changes = tree.watch(other);
        loop {
            tokio::select! {
                change = changes.recv() => if change.is_none() { return Err(self.session_lost()) },
                ended = self.session_ended(&mut session) => return Err(ended),
            }
            match tree.get(other).await {
                Ok(None) => return Ok(()),
                Ok(Some(entry)) => *holder = String::from_utf8_lossy(&entry.data).into_owned(),
                // Without an answer there is a resync to come.
                Err(TreeError::NoAnswer { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn session_ended(&self, session: &mut watch::Receiver<Session>) -> LockError {
        let other = |session: &Session| self.same_session(*session).is_err();
        match session.wait_for(other).await {
            Ok(_) | Err(_) => self.session_lost(),
        }
    }

    fn same_session(&self, session: Session) -> Result<(), LockError> {
        match session {
            Session::Live { epoch } | Session::Suspended { epoch } if epoch == self.epoch => Ok(()),
            Session::Live { .. } | Session::Suspended { .. } | Session::Connecting => {
                Err(self.session_lost())
            }
        }
    }

    fn session_lost(&self) -> LockError {
        LockError::SessionLost { path: self.place.parent.clone() }
    }
}

/// A place in the queue, perhaps: whoever drops it leaves the queue.
#[derive(Debug)]
struct Place<T: Tree> {
    tree: T,
    parent: String,
    /// Unique, so that the znode is found even if the answer to its creation was lost.
    name: String,
    is_ours: bool,
}

impl<T: Tree> Drop for Place<T> {
    fn drop(&mut self) {
        if !self.is_ours {
            return;
        }
        // Without a runtime the process is ending, and its session with it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let leaving = leave(self.tree.clone(), self.parent.clone(), self.name.clone());
            runtime.spawn(leaving);
        }
    }
}

/// Deletes the contender whose name begins with `name`, unless its session ends before.
async fn leave<T: Tree>(tree: T, parent: String, name: String) {
    let epoch_of = |session: Session| match session {
        Session::Live { epoch } | Session::Suspended { epoch } => Some(epoch),
        Session::Connecting => None,
    };
    let session = tree.session();
    let epoch = epoch_of(*session.borrow());
    // Each attempt takes up to the limit of a call, or waits for a connection.
    while epoch.is_some() && epoch_of(*session.borrow()) == epoch {
        match leave_once(&tree, &parent, &name).await {
            Ok(()) => return,
            Err(
                SubtreeError::Read(TreeError::NoAnswer { .. })
                | SubtreeError::Write(CommitError::Unknown { .. }),
            ) => tracing::debug!(path = parent, "lock: {parent} is not released yet"),
            Err(error) => {
                tracing::warn!(path = parent, "lock: {parent} stays locked: {error}");
                return;
            }
        }
    }
}

async fn leave_once<T: Tree>(tree: &T, parent: &str, name: &str) -> Result<(), SubtreeError> {
    let names = tree.children(parent).await?.unwrap_or_default();
    let Some(contender) = names.iter().find(|contender| contender.starts_with(name)) else {
        return Ok(());
    };
    let delete = Op::Delete { path: join(parent, contender), version: UNTOUCHED };
    match tree.commit(vec![delete]).await {
        Ok(()) | Err(CommitError::Superseded { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn contenders_are_known_by_their_names() {
        assert_eq!(rank(&format!("{ID}__lock__0000000042")), Some(42));
        assert_eq!(rank(&format!("{ID}__rlock__0000000007")), Some(7));
        for name in [
            "console".to_owned(),
            format!("{ID}__lock__"),
            format!("{ID}__lock__42"),
            format!("{ID}-0000000042"),
            format!("{}__lock__0000000042", ID.replace('a', "x")),
            format!("{ID}__lock__00000000ää"),
        ] {
            assert!(!is_contender(&name), "{name}");
        }
    }

    #[test]
    fn each_contender_waits_for_the_one_before_it_only() {
        let names = [9, 2, 5].map(|number| format!("{ID}__lock__{number:010}"));
        assert_eq!(ahead(&names, 9), Some(&names[2]));
        assert_eq!(ahead(&names, 5), Some(&names[1]));
        assert_eq!(ahead(&names, 2), None);
    }
}
