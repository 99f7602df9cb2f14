//! How fast a pool is, by `fio`.

use std::time::Duration;

use pvc_command::Command;
use pvc_common::id::VolumeId;
use pvc_common::model::Json;
use pvc_common::state::Word;

use super::{CephCli, failure, unreadable};
use crate::benchmark::{Benchmark, Load, Pattern};
use crate::{CephError, parse};

/// It opens the volume before it measures, and waits for what is under way after.
const AROUND: Duration = Duration::from_secs(60);

impl Benchmark for CephCli {
    async fn load(
        &self,
        volume: &VolumeId,
        load: Load,
        lasting: Duration,
    ) -> Result<Json, CephError> {
        let Pattern { rw, block, depth } = load.pattern();
        let words = [
            format!("--name={}", load.text()),
            "--ioengine=rbd".to_owned(),
            "--clientname=admin".to_owned(),
            format!("--pool={}", volume.pool),
            format!("--rbdname={}", volume.volume),
            "--output-format=json".to_owned(),
            "--direct=1".to_owned(),
            "--randrepeat=1".to_owned(),
            "--numjobs=1".to_owned(),
            "--time_based".to_owned(),
            format!("--runtime={}", lasting.as_secs().max(1)),
            format!("--iodepth={depth}"),
            format!("--rw={rw}"),
            format!("--bs={block}"),
        ];
        let mut command = Command::new(&self.fio, lasting + AROUND).args(&words);
        if let Some(conf) = &self.conf {
            command = command.env("CEPH_CONF", conf);
        }
        let done = command.run().await;
        let measured = done.map_err(|error| {
            // It says the same of a volume that is not there as of a cluster.
            failure("fio", format!("fio {} on {volume}", load.text()), error)
        })?;
        parse::measured(&measured.stdout).ok_or_else(|| unreadable("fio"))
    }
}
