//! PowerDNS' zones in memory.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pvc_common::zone::{Change, Record, Stored, StoredRecord, StoredZone};
use tokio::time::timeout;

use crate::zones::{Zones, ZonesError};

/// As long as the real one waits.
const LIMIT: Duration = Duration::from_secs(10);

const NAME: &str = "the database in memory";

/// PowerDNS' zones in memory; copies are the same database.
#[derive(Clone, Default)]
pub struct FakeZones(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    stored: Stored,
    next: i64,
    follows: bool,
    stuck: bool,
    applied: usize,
}

impl FakeZones {
    /// A database without zones that takes writes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Has it follow another database, or lead.
    pub fn follow(&self, follows: bool) {
        self.memory().follows = follows;
    }

    /// Has it answer nobody, or everybody.
    pub fn stick(&self, stuck: bool) {
        self.memory().stuck = stuck;
    }

    /// What stands in it.
    #[must_use]
    pub fn stored(&self) -> Stored {
        self.memory().stored.clone()
    }

    /// How many changes were made.
    #[must_use]
    pub fn applied(&self) -> usize {
        self.memory().applied
    }

    /// Somebody else has a zone of this name.
    pub fn occupy(&self, zone: &str) {
        self.memory().stored.others.insert(zone.to_owned());
    }

    /// What is answered to a question for a name and a type.
    #[must_use]
    pub fn answers(&self, name: &str, kind: &str) -> Vec<String> {
        let memory = self.memory();
        let records = memory.stored.ours.iter().flat_map(|zone| &zone.records);
        let found = records.filter(|record| {
            record.live && record.name.eq_ignore_ascii_case(name) && record.kind == kind
        });
        found.map(|record| record.content.clone()).collect()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn admitted(&self) -> Result<(), ZonesError> {
        let (stuck, follows) = {
            let memory = self.memory();
            (memory.stuck, memory.follows)
        };
        let database = NAME.to_owned();
        if stuck && timeout(LIMIT, pending::<()>()).await.is_err() {
            return Err(ZonesError::Late { database, limit: LIMIT });
        }
        if follows { Err(ZonesError::Follows { database }) } else { Ok(()) }
    }
}

impl Memory {
    fn number(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    fn store(&mut self, records: &[Record]) -> Vec<StoredRecord> {
        let each = records.iter().map(|record| StoredRecord {
            id: self.number(),
            name: record.name.to_string(),
            kind: record.data.kind().to_owned(),
            content: record.data.to_string(),
            ttl: record.ttl.into(),
            live: true,
        });
        each.collect()
    }

    /// `None` when something is not as it was read; nothing is changed then, if the caller throws
    /// this away.
    fn apply(&mut self, change: &Change) -> Option<()> {
        for one in change.changed.iter().chain(&change.removed) {
            let added = self.store(&one.added);
            let zone = self.stored.ours.iter_mut().find(|zone| zone.id == one.zone)?;
            let before = zone.records.len();
            zone.records.retain(|record| !one.removed.contains(&record.id));
            (before - zone.records.len() == one.removed.len()).then_some(())?;
            zone.records.extend(added);
        }
        let is_removed = |zone: &StoredZone| change.removed.iter().any(|one| one.zone == zone.id);
        self.stored.ours.retain(|zone| !is_removed(zone));
        for (name, records) in &change.added {
            let name = name.to_string();
            let is_there = self.stored.ours.iter().any(|zone| zone.name == name);
            (!is_there && !self.stored.others.contains(&name)).then_some(())?;
            let id = i32::try_from(self.number()).ok()?;
            let records = self.store(records);
            self.stored.ours.push(StoredZone { id, name, records });
        }
        self.applied += 1;
        Some(())
    }
}

impl Zones for FakeZones {
    async fn read(&self) -> Result<Stored, ZonesError> {
        self.admitted().await?;
        Ok(self.stored())
    }

    async fn apply(&self, change: &Change) -> Result<(), ZonesError> {
        self.admitted().await?;
        let mut memory = self.memory();
        let Memory { stored, next, follows, stuck, applied } = &*memory;
        let (follows, stuck, applied) = (*follows, *stuck, *applied);
        let mut after = Memory { stored: stored.clone(), next: *next, follows, stuck, applied };
        match after.apply(change) {
            Some(()) => {
                *memory = after;
                Ok(())
            }
            None => Err(ZonesError::Superseded { database: NAME.to_owned() }),
        }
    }
}
