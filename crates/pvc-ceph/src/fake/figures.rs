//! What a cluster in memory tells of itself: one OSD, number 0, and its pools.

use std::collections::BTreeMap;

use pvc_common::id::OsdId;
use pvc_common::model::Json;
use serde_json::json;

use super::FakeCeph;
use crate::{CephError, Figures, Statistics};

/// The size of the OSD.
const BYTES: u64 = 1 << 40;

impl Statistics for FakeCeph {
    async fn figures(&self) -> Result<Figures, CephError> {
        self.ask("ceph status", |cluster| {
            let up = u8::from(!cluster.down.contains(&OsdId(0)));
            let osd = json!({ "uuid": "0", "up": up, "in": 1, "weight": 1.0, "kb": BYTES / 1024 });
            let pools = cluster.pools.keys().zip(1..).map(|(name, id)| {
                let stored: u64 = cluster
                    .images
                    .iter()
                    .filter(|(image, _)| image.pool == *name)
                    .map(|(_, image)| image.size.0)
                    .sum();
                let free = BYTES.saturating_sub(stored);
                let stats = json!({ "id": id, "stored_bytes": stored, "free_bytes": free });
                (name.clone(), Json::of(&stats))
            });
            Ok(Figures {
                status: "  cluster:\n    health: HEALTH_OK\n".to_owned(),
                usage: "--- RAW STORAGE ---\n".to_owned(),
                health: Json::of(&json!({ "status": "HEALTH_OK", "checks": {} })),
                osds: BTreeMap::from([(OsdId(0), Json::of(&osd))]),
                pools: pools.collect(),
            })
        })
        .await
    }
}
