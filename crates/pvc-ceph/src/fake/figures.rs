//! What a cluster in memory tells of itself: its OSDs and its pools.

use std::time::Duration;

use pvc_common::id::VolumeId;
use pvc_common::model::Json;
use pvc_common::state::Word;
use serde_json::json;

use super::FakeCeph;
use crate::{Benchmark, CephError, Figures, Load, Statistics};

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

/// What it does in a second, whatever it is.
const PER_SECOND: u64 = 1000;

impl Benchmark for FakeCeph {
    async fn load(
        &self,
        volume: &VolumeId,
        load: Load,
        lasting: Duration,
    ) -> Result<Json, CephError> {
        let measured = self.ask("fio", |cluster| {
            cluster.image(volume)?;
            let side = |one: bool| {
                let ios = if one { PER_SECOND * lasting.as_secs() } else { 0 };
                json!({ "total_ios": ios, "iops": ios / lasting.as_secs().max(1) })
            };
            let reads = load.pattern().rw.ends_with("read");
            let job = json!({
                "jobname": load.text(), "error": 0, "read": side(reads), "write": side(!reads),
            });
            Ok(Json::of(&json!({ "jobs": [job] })))
        });
        let measured = measured.await?;
        tokio::time::sleep(lasting).await;
        Ok(measured)
    }
}
