//! Pools in memory.

use pvc_common::id::PoolName;
use pvc_common::state::Tier;

use super::FakeCeph;
use crate::{CephError, NewPool, Pools, Replication};

/// The most placement groups that a pool may have.
const MOST_PGS: u32 = 65_536;

/// A pool like others.
pub(super) fn any(name: &PoolName) -> NewPool {
    let replication = Replication { copies: 1, min_copies: 1 };
    NewPool { name: name.clone(), pgs: 8, replication, tier: Tier::Default }
}

fn refused(command: &str, why: &str) -> CephError {
    CephError::Refused { command: command.to_owned(), why: why.to_owned() }
}

impl FakeCeph {
    /// How a pool was made, if there is one.
    #[must_use]
    pub fn pool(&self, pool: &PoolName) -> Option<NewPool> {
        self.cluster().pools.get(pool).cloned()
    }
}

impl Pools for FakeCeph {
    async fn pools(&self) -> Result<Vec<PoolName>, CephError> {
        self.ask("ceph osd pool ls", |cluster| Ok(cluster.pools.keys().cloned().collect())).await
    }

    async fn create_pool(&self, pool: &NewPool) -> Result<(), CephError> {
        self.ask("ceph osd pool create", |cluster| {
            // The devices of this cluster are rotating ones.
            if !matches!(pool.tier, Tier::Default | Tier::Hdd) {
                return Err(refused("ceph osd crush rule", "device class does not exist"));
            }
            if !(1..=MOST_PGS).contains(&pool.pgs) {
                return Err(refused("ceph osd pool create", "'pg_num' must be lower"));
            }
            let present = cluster.pools.entry(pool.name.clone()).or_insert_with(|| pool.clone());
            *present = NewPool { pgs: present.pgs, ..pool.clone() };
            Ok(())
        })
        .await
    }

    async fn set_pgs(&self, pool: &PoolName, pgs: u32) -> Result<(), CephError> {
        self.ask("ceph osd pool set", |cluster| {
            let no_pool = || CephError::NoPool { pool: pool.clone() };
            let present = cluster.pools.get_mut(pool).ok_or_else(no_pool)?;
            if !(1..=MOST_PGS).contains(&pgs) {
                return Err(refused("ceph osd pool set", "'pg_num' must be lower"));
            }
            present.pgs = pgs;
            Ok(())
        })
        .await
    }

    async fn remove_pool(&self, pool: &PoolName) -> Result<(), CephError> {
        self.ask("ceph osd pool rm", |cluster| {
            cluster.pools.remove(pool);
            cluster.images.retain(|image, _| image.pool != *pool);
            Ok(())
        })
        .await
    }
}
