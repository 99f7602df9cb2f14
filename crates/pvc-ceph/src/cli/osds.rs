//! OSDs, as the storage cluster knows them.

use pvc_common::id::{NodeName, OsdId};
use pvc_common::observed::{OsdMap, Safety};
use pvc_common::state::{OsdFlag, Word};
use pvc_common::unit::Weight;

use super::{CephCli, unreadable};
use crate::parse::osds;
use crate::{CephError, Osds};

const SURE: &str = "--yes-i-really-mean-it";

impl CephCli {
    /// Runs a command about an OSD that must be there.
    async fn on_osd(&self, osd: OsdId, words: &[&str]) -> Result<(), CephError> {
        match self.ceph(words).await {
            Err(CephError::Refused { why, .. }) if osds::is_no_osd(&why) => {
                Err(CephError::NoOsd { osd })
            }
            // It says so of one that is not there, and succeeds.
            Ok(done) if osds::is_no_osd(&done.stderr) => Err(CephError::NoOsd { osd }),
            done => done.map(drop),
        }
    }

    /// Destroys or purges an OSD, if it is there.
    async fn end_osd(&self, verb: &str, osd: OsdId, force: bool) -> Result<(), CephError> {
        let number = osd.to_string();
        let mut words = vec!["osd", verb, &number, SURE];
        words.extend(force.then_some("--force"));
        match self.on_osd(osd, &words).await {
            Err(CephError::NoOsd { .. }) => Ok(()),
            done => done,
        }
    }

    /// Whether these OSDs hold nothing that is still to be copied elsewhere. `safe-to-destroy` counts
    /// what serves: it says that an OSD is safe that was taken out a second ago and has what others
    /// lack, if they can catch up by their logs.
    async fn holds_nothing(&self, osds: &[OsdId]) -> Result<Safety, CephError> {
        for osd in osds {
            let daemon = format!("osd.{osd}");
            let words = ["tell", &daemon, "perf", "dump", "osd", "--format", "json"];
            let strays = match self.ceph(&words).await {
                Ok(answer) => osds::strays(&answer.stdout)
                    .ok_or_else(|| unreadable("ceph tell osd perf dump"))?,
                // It does not run: Ceph only calls such a one safe if everything is whole without it.
                Err(CephError::Refused { .. }) => 0,
                Err(error) => return Err(error),
            };
            if strays > 0 {
                let why = format!("OSD {osd} still holds data that is being copied elsewhere");
                return Ok(Safety::AtRisk { why });
            }
        }
        Ok(Safety::Safe)
    }
}

impl Osds for CephCli {
    async fn osd_map(&self) -> Result<OsdMap, CephError> {
        let answers = self.session(&["--format", "json"], osds::MAP).await?;
        osds::map(&answers.stdout).ok_or_else(|| unreadable("ceph osd dump, osd tree"))
    }

    async fn set_flag(&self, flag: OsdFlag, wanted: bool) -> Result<(), CephError> {
        let verb = if wanted { "set" } else { "unset" };
        self.ceph(&["osd", verb, flag.text()]).await.map(drop)
    }

    async fn set_in(&self, osd: OsdId, wanted: bool) -> Result<(), CephError> {
        let verb = if wanted { "in" } else { "out" };
        self.on_osd(osd, &["osd", verb, &osd.to_string()]).await
    }

    async fn set_down(&self, osd: OsdId) -> Result<(), CephError> {
        self.ceph(&["osd", "down", &osd.to_string()]).await.map(drop)
    }

    async fn safe_to_destroy(&self, osds: &[OsdId]) -> Result<Safety, CephError> {
        if osds.is_empty() {
            return Ok(Safety::Safe);
        }
        let numbers: Vec<String> = osds.iter().map(ToString::to_string).collect();
        let mut words = vec!["osd", "safe-to-destroy"];
        words.extend(numbers.iter().map(String::as_str));
        words.extend(["--format", "json"]);
        match self.ceph(&words).await {
            Ok(answer) => match osds::safe_to_destroy(&answer.stdout, osds) {
                Some(Safety::Safe) => self.holds_nothing(osds).await,
                Some(risk) => Ok(risk),
                None => Err(unreadable("ceph osd safe-to-destroy")),
            },
            Err(CephError::Refused { why, .. }) if osds::is_busy(&why) => {
                Ok(Safety::AtRisk { why: osds::reason(&why) })
            }
            Err(error) => Err(error),
        }
    }

    async fn ok_to_stop(&self, osds: &[OsdId]) -> Result<Safety, CephError> {
        if osds.is_empty() {
            return Ok(Safety::Safe);
        }
        let numbers: Vec<String> = osds.iter().map(ToString::to_string).collect();
        let mut words = vec!["osd", "ok-to-stop"];
        words.extend(numbers.iter().map(String::as_str));
        match self.ceph(&words).await {
            Ok(_) => Ok(Safety::Safe),
            Err(CephError::Refused { why, .. }) if osds::is_busy(&why) => {
                Ok(Safety::AtRisk { why: osds::reason(&why) })
            }
            Err(error) => Err(error),
        }
    }

    async fn destroy_osd(&self, osd: OsdId, force: bool) -> Result<(), CephError> {
        self.end_osd("destroy", osd, force).await
    }

    async fn purge_osd(&self, osd: OsdId, force: bool) -> Result<(), CephError> {
        self.end_osd("purge", osd, force).await
    }

    async fn place_osd(
        &self,
        osd: OsdId,
        host: &NodeName,
        weight: Weight,
    ) -> Result<(), CephError> {
        let (name, weight, host) =
            (format!("osd.{osd}"), weight.to_string(), format!("host={host}"));
        // `add` would count one that has a place already to two machines, and `set` does not know
        // one that has none.
        for verb in ["set", "add"] {
            let words = ["osd", "crush", verb, &name, &weight, "root=default", &host];
            match self.on_osd(osd, &words).await {
                Err(CephError::NoOsd { .. }) if verb == "set" => {}
                done => return done,
            }
        }
        Ok(())
    }
}
