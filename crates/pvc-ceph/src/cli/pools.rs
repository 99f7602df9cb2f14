//! Pools.

use pvc_common::id::PoolName;
use pvc_common::state::{Tier, Word};

use super::{CephCli, unreadable};
use crate::{CephError, NewPool, Pools, parse};

/// The rule by which copies are placed on any devices.
const ANY_DEVICE: &str = "replicated_rule";

impl CephCli {
    /// Runs a command about a pool that must be there.
    async fn on_pool(&self, pool: &PoolName, words: &[&str]) -> Result<(), CephError> {
        match self.ceph(words).await {
            Err(CephError::Refused { why, .. }) if why.contains("ENOENT: unrecognized pool") => {
                Err(CephError::NoPool { pool: pool.clone() })
            }
            done => done.map(drop),
        }
    }

    /// Makes sure of the rule by which copies are placed on the devices of a tier.
    async fn rule(&self, tier: Tier) -> Result<String, CephError> {
        if tier == Tier::Default {
            return Ok(ANY_DEVICE.to_owned());
        }
        let rule = format!("{}_tier", tier.text());
        let create = ["osd", "crush", "rule", "create-replicated", &rule, "default", "host"];
        self.ceph(&[&create[..], &[tier.text()]].concat()).await?;
        Ok(rule)
    }
}

impl Pools for CephCli {
    async fn pools(&self) -> Result<Vec<PoolName>, CephError> {
        let listed = self.ceph(&["osd", "pool", "ls", "--format", "json"]).await?;
        parse::names(&listed.stdout).ok_or_else(|| unreadable("ceph osd pool ls"))
    }

    async fn create_pool(&self, pool: &NewPool) -> Result<(), CephError> {
        let (name, pgs) = (pool.name.as_str(), pool.pgs.to_string());
        let rule = self.rule(pool.tier).await?;
        self.ceph(&["osd", "pool", "create", name, &pgs, &pgs, "replicated", &rule]).await?;
        let (copies, min_copies) =
            (pool.replication.copies.to_string(), pool.replication.min_copies.to_string());
        let mut size = vec!["osd", "pool", "set", name, "size", &copies];
        if pool.replication.copies == 1 {
            // Whoever wants a single copy has said so.
            size.push("--yes-i-really-mean-it");
        }
        self.on_pool(&pool.name, &size).await?;
        self.on_pool(&pool.name, &["osd", "pool", "set", name, "min_size", &min_copies]).await?;
        self.on_pool(&pool.name, &["osd", "pool", "application", "enable", name, "rbd"]).await
    }

    async fn set_pgs(&self, pool: &PoolName, pgs: u32) -> Result<(), CephError> {
        let pgs = pgs.to_string();
        for setting in ["pg_num", "pgp_num"] {
            self.on_pool(pool, &["osd", "pool", "set", pool.as_str(), setting, &pgs]).await?;
        }
        Ok(())
    }

    async fn remove_pool(&self, pool: &PoolName) -> Result<(), CephError> {
        let name = pool.as_str();
        self.ceph(&["osd", "pool", "rm", name, name, "--yes-i-really-really-mean-it"])
            .await
            .map(drop)
    }
}
