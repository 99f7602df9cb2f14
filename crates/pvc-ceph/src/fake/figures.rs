//! What a cluster in memory tells of itself: its OSDs and its pools.

use pvc_common::model::Json;
use serde_json::json;

use super::FakeCeph;
use crate::{CephError, Figures, Statistics};

/// The size of an OSD.
const BYTES: u64 = 1 << 40;

impl Statistics for FakeCeph {
    async fn figures(&self) -> Result<Figures, CephError> {
        self.ask("ceph status", |cluster| {
            let osds = cluster.mapped().into_iter().map(|(id, osd)| {
                let (up, is_in) = (u8::from(osd.up), u8::from(osd.is_in));
                let uuid = osd.fsid.map(|fsid| fsid.to_string()).unwrap_or_default();
                let stats = json!({
                    "uuid": uuid, "up": up, "in": is_in, "weight": 1.0, "kb": BYTES / 1024,
                });
                (id, Json::of(&stats))
            });
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
                osds: osds.collect(),
                pools: pools.collect(),
            })
        })
        .await
    }
}
