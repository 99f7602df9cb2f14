//! The storage of a synthetic cluster: one pool, and volumes as the provisioner makes them.

use anyhow::Result;
use pvc_common::id::{PoolName, VolumeId};
use pvc_common::model::Json;
use pvc_common::state::Tier;
use pvc_common::zk::{Op, Text, key};
use serde_json::json;

/// The pool that holds every volume.
const POOL: &str = "vms";

/// So many volumes and their pool, parents first; nothing at all without a volume.
pub(crate) fn storage(volumes: usize, ops: &mut Vec<Op>) -> Result<()> {
    if volumes == 0 {
        return Ok(());
    }
    let pool: PoolName = POOL.parse()?;
    let stats = json!({"id": 1, "stored_bytes": 1_000_000, "free_bytes": 1_000_000_000});
    ops.extend([
        key::pool(&pool).create(&()),
        key::pool_pgs(&pool).create(&256),
        key::pool_tier(&pool).create(&Tier::Default),
        key::pool_stats(&pool).create(&Json::decode(&stats.to_string())?),
        key::pool_volumes(&pool).create(&()),
        key::pool_snapshots(&pool).create(&()),
    ]);
    for n in 0..volumes {
        let name = format!("vm{:05}_{}", n / 2, ["root", "data"][n % 2]);
        let volume = VolumeId { pool: pool.clone(), volume: name.parse()? };
        let stats = Json::decode(&info(n, &name).to_string())?;
        ops.extend([
            key::volume(&volume).create(&()),
            key::volume_stats(&volume).create(&stats),
            key::volume_snapshots(&volume).create(&()),
        ]);
    }
    Ok(())
}

/// As `rbd info` tells of a volume.
fn info(n: usize, name: &str) -> serde_json::Value {
    let id = format!("{:012x}", 0x5e3a_0000_0000_usize + n);
    let time = "Fri Nov 21 03:15:23 2025";
    json!({
        "name": name, "id": id, "size": 10_737_418_240_u64, "objects": 2560, "order": 22,
        "object_size": 4_194_304, "snapshot_count": 0,
        "block_name_prefix": format!("rbd_data.{id}"), "format": 2,
        "features": ["layering", "exclusive-lock", "object-map", "fast-diff", "deep-flatten"],
        "op_features": [], "flags": [], "create_timestamp": time, "access_timestamp": time,
        "modify_timestamp": time,
    })
}
