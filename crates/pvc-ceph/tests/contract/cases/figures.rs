//! What a cluster tells of itself.

use std::time::Duration;

use pvc_ceph::{Benchmark, Load, Statistics, Volumes};
use pvc_common::id::OsdId;
use pvc_common::model::Json;
use pvc_common::unit::Bytes;
use serde_json::Value;

use crate::site::Site;

fn read(json: &Json) -> Value {
    serde_json::from_str(json.text()).unwrap()
}

pub(crate) async fn everything_is_told_at_once(site: &impl Site) {
    let volume = "vms/measured".parse().unwrap();
    site.port().create_volume(&volume, Bytes(1 << 20)).await.unwrap();
    let figures = site.port().figures().await.unwrap();
    assert!(figures.status.starts_with("  cluster:\n"), "{}", figures.status);
    assert!(figures.status.contains("health: HEALTH"), "{}", figures.status);
    assert!(figures.usage.starts_with("--- RAW STORAGE ---\n"), "{}", figures.usage);
    assert!(read(&figures.health)["status"].as_str().unwrap().starts_with("HEALTH_"));
    let osd = read(&figures.osds[&OsdId(0)]);
    assert_eq!((&osd["up"], &osd["in"]), (&1.into(), &1.into()), "{osd}");
    assert!(osd["kb"].as_u64().unwrap() > 0 && osd["weight"].as_f64().unwrap() > 0.0, "{osd}");
    let pool = read(&figures.pools[&"vms".parse().unwrap()]);
    assert!(pool["id"].as_u64().unwrap() > 0 && pool["free_bytes"].as_u64().unwrap() > 0, "{pool}");
}

pub(crate) async fn a_volume_is_loaded_and_measured(site: &impl Site) {
    let volume = "vms/loaded".parse().unwrap();
    let second = Duration::from_secs(1);
    assert!(site.port().load(&volume, Load::SeqRead, second).await.is_err(), "it is not there");
    site.port().create_volume(&volume, Bytes(64 << 20)).await.unwrap();
    for (load, does, does_not) in
        [(Load::RandWrite4K, "write", "read"), (Load::SeqRead, "read", "write")]
    {
        let measured = read(&site.port().load(&volume, load, second).await.unwrap());
        let job = &measured["jobs"][0];
        assert!(job[does]["iops"].as_f64().unwrap() > 0.0, "{job}");
        assert_eq!(job[does_not]["total_ios"], 0, "{job}");
    }
    site.port().remove_volume(&volume).await.unwrap();
}
