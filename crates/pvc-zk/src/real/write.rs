//! Writes: tried once, and honest about what is known of the outcome.

use std::time::Duration;

use pvc_common::zk::Op;
use tokio::time::{Instant, timeout_at};
use zookeeper_client::{Acls, CreateMode, CreateOptions, Error, MultiWriteError, MultiWriter};

use super::link::{Closed, Connection, Links, connection};
use crate::error::CommitError;
use crate::path::{EPHEMERAL_PARENT, NO_PARENT, check, fault, refused};
use crate::tree::Enlisted;

/// As upstream's client creates: the ensemble is reachable from the cluster only.
const OPEN: Acls<'static> = Acls::anyone_all();

/// Runs `ops` as one transaction.
pub(super) async fn commit(links: &Links, limit: Duration, ops: &[Op]) -> Result<(), CommitError> {
    let Some(first) = ops.first() else {
        return Ok(());
    };
    check(ops)?;
    let patience = Patience::new(first.path(), limit);
    let Connection { client, .. } = patience.connection(links).await?;
    let mut writer = client.new_multi_writer();
    for op in ops {
        add(&mut writer, op).map_err(|error| refused(op.path(), &error.to_string()))?;
    }
    match patience.answer(writer.commit()).await? {
        Ok(_) => Ok(()),
        Err(MultiWriteError::OperationFailed { index, source }) => match ops.get(index) {
            Some(op) => Err(verdict(op, &source)),
            None => Err(refused(first.path(), &source.to_string())),
        },
        Err(MultiWriteError::RequestFailed { source }) => Err(patience.failed(&source)),
    }
}

/// Creates a sequential ephemeral znode.
pub(super) async fn enlist(
    links: &Links,
    limit: Duration,
    prefix: &str,
    data: &[u8],
) -> Result<Enlisted, CommitError> {
    if let Some(why) = fault(prefix) {
        return Err(refused(prefix, why));
    }
    let patience = Patience::new(prefix, limit);
    let Connection { client, epoch, .. } = patience.connection(links).await?;
    let options = CreateMode::EphemeralSequential.with_acls(OPEN);
    match patience.answer(client.create(prefix, data, &options)).await? {
        Ok((_, number)) => Ok(Enlisted { path: format!("{prefix}{number}"), epoch }),
        Err(Error::NoNode) => Err(refused(prefix, NO_PARENT)),
        Err(Error::NoChildrenForEphemerals) => Err(refused(prefix, EPHEMERAL_PARENT)),
        Err(error) => Err(patience.failed(&error)),
    }
}

fn add(writer: &mut MultiWriter<'_>, op: &Op) -> Result<(), Error> {
    const PERSISTENT: CreateOptions<'static> = CreateMode::Persistent.with_acls(OPEN);
    const EPHEMERAL: CreateOptions<'static> = CreateMode::Ephemeral.with_acls(OPEN);
    match op {
        Op::Create { path, data } => writer.add_create(path, data, &PERSISTENT),
        Op::CreateEphemeral { path, data } => writer.add_create(path, data, &EPHEMERAL),
        Op::Set { path, data, version } => writer.add_set_data(path, data, Some(version.0)),
        Op::Delete { path, version } => writer.add_delete(path, Some(version.0)),
        Op::Check { path, version } => writer.add_check_version(path, version.0),
    }
}

/// What the failure of one operation means for its transaction.
fn verdict(op: &Op, error: &Error) -> CommitError {
    let creates = matches!(op, Op::Create { .. } | Op::CreateEphemeral { .. });
    match error {
        Error::NoNode if creates => refused(op.path(), NO_PARENT),
        Error::NodeExists | Error::NoNode | Error::BadVersion | Error::NotEmpty => {
            CommitError::Superseded { path: op.path().to_owned() }
        }
        Error::NoChildrenForEphemerals => refused(op.path(), EPHEMERAL_PARENT),
        other => refused(op.path(), &other.to_string()),
    }
}

/// Whether a request may have met nothing worse than a broken connection or session.
///
/// A stalled connection is reported as [`Error::Custom`].
pub(super) fn is_transient(error: &Error) -> bool {
    matches!(
        error,
        Error::ConnectionLoss
            | Error::Custom(_)
            | Error::Timeout
            | Error::SessionExpired
            | Error::SessionMoved
            | Error::ClientClosed
            | Error::NoHosts
            | Error::UnmarshalError { .. }
            | Error::UnexpectedError(_)
    )
}

/// The limit of one write, and what to say when it is reached.
struct Patience<'a> {
    path: &'a str,
    since: Instant,
    deadline: Instant,
}

impl<'a> Patience<'a> {
    fn new(path: &'a str, limit: Duration) -> Self {
        let since = Instant::now();
        Self { path, since, deadline: since + limit }
    }

    async fn connection(&self, links: &Links) -> Result<Connection, CommitError> {
        match timeout_at(self.deadline, connection(&mut links.clone(), 0)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(Closed)) => Err(refused(self.path, "this process closed its session")),
            Err(_) => Err(self.unknown()),
        }
    }

    async fn answer<T>(&self, request: impl Future<Output = T>) -> Result<T, CommitError> {
        timeout_at(self.deadline, request).await.map_err(|_| self.unknown())
    }

    fn failed(&self, error: &Error) -> CommitError {
        if is_transient(error) {
            tracing::debug!(path = self.path, "zookeeper: a write broke off: {error}");
            self.unknown()
        } else {
            refused(self.path, &error.to_string())
        }
    }

    fn unknown(&self) -> CommitError {
        CommitError::Unknown { path: self.path.to_owned(), waited: self.since.elapsed() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pvc_common::zk::Version;

    #[test]
    fn whoever_lost_a_race_is_told_where() {
        let set = Op::Set { path: "/a".to_owned(), data: Vec::new(), version: Version(3) };
        let superseded = CommitError::Superseded { path: "/a".to_owned() };
        assert_eq!(verdict(&set, &Error::BadVersion), superseded);
        assert_eq!(verdict(&set, &Error::NoNode), superseded);
    }

    #[test]
    fn a_missing_parent_is_not_a_lost_race() {
        let create = Op::Create { path: "/a/b".to_owned(), data: Vec::new() };
        assert_eq!(verdict(&create, &Error::NoNode), refused("/a/b", NO_PARENT));
    }

    #[test]
    fn the_outcome_of_a_write_that_broke_off_is_unknown() {
        let patience = Patience::new("/a", Duration::ZERO);
        for error in [Error::ConnectionLoss, Error::SessionExpired, Error::Timeout] {
            let outcome = patience.failed(&error);
            assert!(matches!(outcome, CommitError::Unknown { .. }), "{outcome:?}");
        }
    }
}
