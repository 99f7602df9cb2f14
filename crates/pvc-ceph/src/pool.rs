//! Pools: what volumes are kept in.

use std::fmt;
use std::future::Future;
use std::str::FromStr;

use pvc_common::id::PoolName;
use pvc_common::state::Tier;

use crate::CephError;

/// How many copies of its data a pool keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replication {
    /// How many there are when all is well; at least 1.
    pub copies: u8,
    /// How many there must be for it to be written to; at least 1, at most `copies`.
    pub min_copies: u8,
}

/// Why a text is no replication.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a replication; expected copies=N,mincopies=M with M from 1 to N and N up to 10"
)]
pub struct BadReplication(String);

/// The most that Ceph keeps.
const MOST_COPIES: u8 = 10;

impl FromStr for Replication {
    type Err = BadReplication;

    /// `copies=3,mincopies=2`.
    fn from_str(text: &str) -> Result<Self, BadReplication> {
        let parse = || {
            let (copies, min_copies) = text.split_once(',')?;
            let copies: u8 = copies.strip_prefix("copies=")?.parse().ok()?;
            let min_copies: u8 = min_copies.strip_prefix("mincopies=")?.parse().ok()?;
            let sound = (1..=copies).contains(&min_copies) && copies <= MOST_COPIES;
            sound.then_some(Self { copies, min_copies })
        };
        parse().ok_or_else(|| BadReplication(text.to_owned()))
    }
}

impl fmt::Display for Replication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "copies={},mincopies={}", self.copies, self.min_copies)
    }
}

/// A pool to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPool {
    /// Its name.
    pub name: PoolName,
    /// How many placement groups it has: a power of two.
    pub pgs: u32,
    /// How many copies it keeps.
    pub replication: Replication,
    /// Which devices it uses.
    pub tier: Tier,
}

/// The pools of a Ceph cluster. Every command ends within its deadline, and every call may be
/// repeated.
pub trait Pools: Clone + Send + Sync + 'static {
    /// The names of all pools. Ceph has some of its own making.
    ///
    /// # Errors
    /// [`CephError`].
    fn pools(&self) -> impl Future<Output = Result<Vec<PoolName>, CephError>> + Send;

    /// Makes a pool for volumes. One of that name is changed to what is wanted, except for its
    /// placement groups.
    ///
    /// # Errors
    /// [`CephError`]: there may be a pool of that name then. Ceph refuses a tier of which it has no
    /// device, and more placement groups than its OSDs can bear.
    fn create_pool(&self, pool: &NewPool) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Changes how many placement groups a pool has. Ceph moves its data little by little.
    ///
    /// # Errors
    /// [`CephError`]; [`CephError::NoPool`] if there is no such pool.
    fn set_pgs(
        &self,
        pool: &PoolName,
        pgs: u32,
    ) -> impl Future<Output = Result<(), CephError>> + Send;

    /// Removes a pool with everything in it. One that is not there is none.
    ///
    /// # Errors
    /// [`CephError`].
    fn remove_pool(&self, pool: &PoolName) -> impl Future<Output = Result<(), CephError>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replication_reads_back_as_written_and_makes_sense() {
        for text in ["copies=3,mincopies=2", "copies=1,mincopies=1", "copies=10,mincopies=10"] {
            assert_eq!(text.parse::<Replication>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "3,2",
            "mincopies=2,copies=3",
            "copies=2,mincopies=3",
            "copies=0,mincopies=0",
            "copies=2,mincopies=0",
            "copies=11,mincopies=2",
            "copies=3,mincopies=2,x",
        ] {
            assert!(bad.parse::<Replication>().is_err(), "{bad:?}");
        }
    }
}
