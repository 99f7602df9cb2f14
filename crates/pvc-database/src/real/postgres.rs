//! PowerDNS' zones in PostgreSQL, in the tables of its `gpgsql` backend.
//!
//! A connection is made for each call: calls are rare, and one that is kept would have to be
//! watched for the death of the other side. The library makes it only with a database that takes
//! writes (`target_session_attrs=read-write`).

use std::collections::BTreeMap;
use std::error::Error as _;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use pvc_common::id::DnsName;
use pvc_common::secret::Secret;
use pvc_common::zone::{ACCOUNT, Change, Record, Stored, StoredRecord, StoredZone, ZoneChange};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, IsolationLevel, NoTls, Row, Transaction};

use crate::zones::{Zones, ZonesError};

/// How long making a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How long a call may take: a thousand zones with all their records are read in a tenth of it.
const LIMIT: Duration = Duration::from_secs(10);
/// What the server gives up by itself, so that nothing goes on after the call was given up.
const SERVER_LIMITS: &str = "-c statement_timeout=8s -c lock_timeout=5s \
                             -c idle_in_transaction_session_timeout=10s";

/// Where a database is, and who logs in there.
#[derive(Clone)]
pub struct Login {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Name of the database.
    pub database: String,
    /// Who logs in.
    pub user: String,
    /// With which password.
    pub password: Secret<String>,
}

/// PowerDNS' database.
#[derive(Clone)]
pub struct Postgres {
    config: Arc<Config>,
    /// What it is called in errors.
    name: Arc<str>,
    limit: Duration,
}

/// A connection; it ends when this is dropped.
struct Session {
    client: Client,
    carrier: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

impl Postgres {
    /// The database where this login leads; nothing is connected yet.
    #[must_use]
    pub fn new(login: &Login) -> Self {
        let mut config = Config::new();
        config
            .host(&login.host)
            .port(login.port)
            .dbname(&login.database)
            .user(&login.user)
            .password(login.password.reveal())
            .application_name("pvcnoded")
            .options(SERVER_LIMITS)
            .connect_timeout(CONNECT_LIMIT)
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        let Login { host, port, database, .. } = login;
        let name = format!("database {database} at {host}:{port}").into();
        Self { config: Arc::new(config), name, limit: LIMIT }
    }

    /// The same with another deadline of a call.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    fn database(&self) -> String {
        self.name.to_string()
    }

    async fn session(&self) -> Result<Session, ZonesError> {
        match self.config.connect(NoTls).await {
            Ok((client, connection)) => {
                // How it ends is told by the calls that it carries.
                let carrier = tokio::spawn(async move { drop(connection.await) });
                Ok(Session { client, carrier })
            }
            Err(error) if follows(&error) => Err(ZonesError::Follows { database: self.database() }),
            Err(source) => {
                Err(ZonesError::Unreachable { database: self.database(), source: source.into() })
            }
        }
    }

    async fn bounded<R>(
        &self,
        call: impl Future<Output = Result<R, ZonesError>> + Send,
    ) -> Result<R, ZonesError> {
        let late = ZonesError::Late { database: self.database(), limit: self.limit };
        timeout(self.limit, call).await.unwrap_or(Err(late))
    }

    /// Why a statement failed.
    fn failed(&self, source: Error) -> ZonesError {
        let database = self.database();
        match source.code() {
            Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => ZonesError::Follows { database },
            Some(
                &SqlState::UNIQUE_VIOLATION
                | &SqlState::T_R_SERIALIZATION_FAILURE
                | &SqlState::T_R_DEADLOCK_DETECTED,
            ) => ZonesError::Superseded { database },
            Some(&SqlState::QUERY_CANCELED | &SqlState::LOCK_NOT_AVAILABLE) => {
                ZonesError::Late { database, limit: self.limit }
            }
            Some(_) => ZonesError::Refused { database, source: source.into() },
            None => ZonesError::Unreachable { database, source: source.into() },
        }
    }

    async fn change(&self, change: &Change) -> Result<(), ZonesError> {
        let mut session = self.session().await?;
        let failed = |error| self.failed(error);
        let transaction = session.client.transaction().await.map_err(failed)?;
        let zones = change.changed.iter().chain(&change.removed);
        let is_as_read = take_out(&transaction, zones, &change.removed).await.map_err(failed)?;
        if !is_as_read {
            return Err(ZonesError::Superseded { database: self.database() });
        }
        let made = make(&transaction, &change.added).await.map_err(failed)?;
        let changed = change.changed.iter().map(|zone| (zone.zone, zone.added.as_slice()));
        put_in(&transaction, changed.chain(made)).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    async fn stored(&self) -> Result<Stored, ZonesError> {
        let mut session = self.session().await?;
        let failed = |error| self.failed(error);
        let transaction = session.client.build_transaction();
        let transaction = transaction.isolation_level(IsolationLevel::RepeatableRead);
        let transaction = transaction.read_only(true).start().await.map_err(failed)?;
        let all = "SELECT id, name, account IS NOT DISTINCT FROM $1 FROM domains ORDER BY name";
        let zones = transaction.query(all, &[&ACCOUNT]).await.map_err(failed)?;
        let ours = "SELECT r.id::int8, d.id, r.name, r.type, r.content, r.ttl::int8, \
                    COALESCE(r.disabled, false), COALESCE(r.auth, true) \
                    FROM records r JOIN domains d ON d.id = r.domain_id \
                    WHERE d.account = $1 ORDER BY r.id";
        let records = transaction.query(ours, &[&ACCOUNT]).await.map_err(failed)?;
        understood(&zones, &records).map_err(failed)
    }
}

/// Whether a connection was refused because the database takes no writes: the library has no other
/// sign for it.
fn follows(error: &Error) -> bool {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::PermissionDenied)
}

fn understood(zones: &[Row], records: &[Row]) -> Result<Stored, Error> {
    let mut stored = Stored::default();
    for row in zones {
        let name: String = row.try_get(1)?;
        if row.try_get(2)? {
            stored.ours.push(StoredZone { id: row.try_get(0)?, name, records: Vec::new() });
        } else {
            stored.others.insert(name);
        }
    }
    let places = stored.ours.iter().enumerate().map(|(place, zone)| (zone.id, place));
    let places: BTreeMap<i32, usize> = places.collect();
    for row in records {
        let text = |column| row.try_get::<_, Option<String>>(column).map(Option::unwrap_or_default);
        let record = StoredRecord {
            id: row.try_get(0)?,
            name: text(2)?,
            kind: text(3)?,
            content: text(4)?,
            // Without one it is not what we wrote.
            ttl: row.try_get::<_, Option<i64>>(5)?.unwrap_or(-1),
            live: !row.try_get::<_, bool>(6)? && row.try_get::<_, bool>(7)?,
        };
        if let Some(place) = places.get(&row.try_get(1)?) {
            stored.ours[*place].records.push(record);
        }
    }
    Ok(stored)
}

/// Takes out what is to go, and whole zones. `false` when something is not as it was read.
async fn take_out(
    transaction: &Transaction<'_>,
    touched: impl Iterator<Item = &ZoneChange> + Clone + Send,
    removed: &[ZoneChange],
) -> Result<bool, Error> {
    let zones: Vec<i32> = touched.clone().map(|zone| zone.zone).collect();
    let records: Vec<i64> = touched.flat_map(|zone| zone.removed.iter().copied()).collect();
    let removed: Vec<i32> = removed.iter().map(|zone| zone.zone).collect();
    let ours = "SELECT id FROM domains WHERE id = ANY($1) AND account = $2 ORDER BY id FOR UPDATE";
    let found = transaction.query(ours, &[&zones, &ACCOUNT]).await?;
    let gone = "DELETE FROM records WHERE id = ANY($1) AND domain_id = ANY($2)";
    let deleted = transaction.execute(gone, &[&records, &zones]).await?;
    if !removed.is_empty() {
        transaction.execute("DELETE FROM domains WHERE id = ANY($1)", &[&removed]).await?;
    }
    Ok(found.len() == zones.len() && usize::try_from(deleted) == Ok(records.len()))
}

/// Makes zones; says which number each of them has, and what goes into it.
async fn make<'a>(
    transaction: &Transaction<'_>,
    added: &'a [(DnsName, Vec<Record>)],
) -> Result<Vec<(i32, &'a [Record])>, Error> {
    let names: Vec<&str> = added.iter().map(|(name, _)| name.as_str()).collect();
    let insert = "INSERT INTO domains (name, type, account) \
                  SELECT name, 'MASTER', $2 FROM unnest($1::text[]) AS name \
                  RETURNING name, id";
    let rows = transaction.query(insert, &[&names, &ACCOUNT]).await?;
    let mut numbers = BTreeMap::new();
    for row in &rows {
        numbers.insert(row.try_get::<_, String>(0)?, row.try_get::<_, i32>(1)?);
    }
    let number = |(name, records): &'a (DnsName, Vec<Record>)| {
        Some((*numbers.get(name.as_str())?, records.as_slice()))
    };
    Ok(added.iter().filter_map(number).collect())
}

/// Puts records into zones, all with one statement.
async fn put_in(
    transaction: &Transaction<'_>,
    zones: impl Iterator<Item = (i32, &[Record])> + Send,
) -> Result<(), Error> {
    let (mut places, mut names, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    let (mut contents, mut ttls) = (Vec::new(), Vec::new());
    for (zone, records) in zones {
        for Record { name, data, ttl } in records {
            places.push(zone);
            names.push(name.as_str());
            kinds.push(data.kind());
            contents.push(data.to_string());
            ttls.push(i32::try_from(*ttl).unwrap_or(i32::MAX));
        }
    }
    let insert = "INSERT INTO records (domain_id, name, type, content, ttl, prio, disabled, auth) \
                  SELECT zone, name, type, content, ttl, 0, false, true FROM unnest($1::int4[], \
                  $2::text[], $3::text[], $4::text[], $5::int4[]) \
                  AS new (zone, name, type, content, ttl)";
    transaction.execute(insert, &[&places, &names, &kinds, &contents, &ttls]).await?;
    Ok(())
}

impl Zones for Postgres {
    async fn read(&self) -> Result<Stored, ZonesError> {
        self.bounded(self.stored()).await
    }

    async fn apply(&self, change: &Change) -> Result<(), ZonesError> {
        self.bounded(self.change(change)).await
    }
}
