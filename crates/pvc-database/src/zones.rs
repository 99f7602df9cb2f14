//! The zones in PowerDNS' database.

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use pvc_common::zone::{Change, Stored};

/// Why zones were not read or not changed.
#[derive(Debug, thiserror::Error)]
pub enum ZonesError {
    /// Nobody answers there, or it refuses the login.
    #[error("cannot use {database}")]
    Unreachable {
        /// Which database.
        database: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// It follows another one, which leads.
    #[error("{database} takes no writes, for another one leads")]
    Follows {
        /// Which database.
        database: String,
    },
    /// What the change was made of is not there any more. Nothing was changed.
    #[error("the zones in {database} were changed meanwhile")]
    Superseded {
        /// Which database.
        database: String,
    },
    /// It did not take what it was told. Nothing was changed.
    #[error("{database} refused")]
    Refused {
        /// Which database.
        database: String,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// It did not answer in time. A change may have been made.
    #[error("{database} did not answer within {} s", limit.as_secs_f32())]
    Late {
        /// Which database.
        database: String,
        /// How long was waited.
        limit: Duration,
    },
}

/// PowerDNS' zones, as long as the database takes writes. Every call is bounded.
pub trait Zones: Clone + Send + Sync + 'static {
    /// All zones, and the records of ours, as they were at one moment.
    ///
    /// # Errors
    /// As [`ZonesError`] says; a database that takes no writes is not read either, for what it
    /// holds may be old.
    fn read(&self) -> impl Future<Output = Result<Stored, ZonesError>> + Send;

    /// Makes a change, all of it or nothing.
    ///
    /// # Errors
    /// [`ZonesError::Superseded`] when one of the zones is not ours any more, when a record that
    /// is to be removed is gone, or when a zone that is to be made is there already.
    fn apply(&self, change: &Change) -> impl Future<Output = Result<(), ZonesError>> + Send;
}
