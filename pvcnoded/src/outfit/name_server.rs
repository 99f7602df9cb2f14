//! PowerDNS, which answers for the cluster's names at the floating addresses.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use pvc_common::secret::Secret;
use pvc_host::{UnitState, Units};
use pvc_plan::primary::{Holding, Phase};
use tokio::fs::{self, OpenOptions};
use tokio::io::AsyncWriteExt;

use super::{Doing, Part, Service, failure};
use crate::primary::OutfitError;

/// Its unit, which reads the settings that are written here.
const UNIT: &str = "pvc-dns.service";
const PROGRAM: &str = "/usr/sbin/pdns_server";

/// Where the unit looks for its settings. A unit's file cannot read a configuration, so this is fixed.
pub const NAME_SERVER_FOLDER: &str = "/run/pvc/dns";

/// PowerDNS with settings of ours. Where it is not installed it is neither missed nor started.
pub struct NameServer<U> {
    units: U,
    service: Service<U>,
    program: PathBuf,
    file: PathBuf,
    /// The settings, with the database's password.
    text: Secret<String>,
}

impl<U: Units + Clone> NameServer<U> {
    /// PowerDNS with these settings in this file.
    pub fn new(units: U, file: PathBuf, text: Secret<String>) -> Self {
        let (service, program) = (Service::new(units.clone(), UNIT), PROGRAM.into());
        Self { service, units, program, file, text }
    }

    /// The same with another program, for tests on machines without it.
    #[must_use]
    pub fn program(mut self, program: PathBuf) -> Self {
        self.program = program;
        self
    }

    /// Whether both are there: the unit comes with the daemon, but the program need not.
    async fn is_installed(&self) -> Result<bool, OutfitError> {
        let has_unit = self.units.state(UNIT).await.map_err(failure)? != UnitState::Absent;
        Ok(has_unit && fs::try_exists(&self.program).await.unwrap_or(false))
    }

    async fn is_written(&self) -> Result<bool, OutfitError> {
        match fs::read_to_string(&self.file).await {
            Ok(there) => Ok(there == *self.text.reveal()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(trouble("read", &self.file, &error)),
        }
    }

    async fn write(&self) -> Result<(), OutfitError> {
        write(&self.file, self.text.reveal())
            .await
            .map_err(|error| trouble("write", &self.file, &error))
    }
}

fn trouble(verb: &str, file: &Path, error: &std::io::Error) -> OutfitError {
    OutfitError { what: format!("cannot {verb} {}: {error}", file.display()) }
}

/// Puts a file in place, for nobody but its owner.
async fn write(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory).await?;
    }
    let beside = file.with_extension("new");
    match fs::remove_file(&beside).await {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Err(_) | Ok(()) => {}
    }
    let mut options = OpenOptions::new();
    let mut open = options.write(true).create_new(true).mode(0o600).open(&beside).await?;
    open.write_all(text.as_bytes()).await?;
    open.flush().await?;
    fs::rename(&beside, file).await
}

impl<U: Units + Clone> Part for NameServer<U> {
    fn name(&self) -> &str {
        self.service.name()
    }

    fn phase(&self) -> Phase {
        Phase::Services
    }

    fn held(&self) -> Doing<'_, Holding> {
        Box::pin(async {
            if !self.is_installed().await? {
                return Ok(Holding::of([]));
            }
            let held = self.service.held().await?;
            // One that runs with other settings is not it.
            Ok(Holding { all: held.all && (!held.any || self.is_written().await?), ..held })
        })
    }

    fn take_up(&self) -> Doing<'_, ()> {
        Box::pin(async {
            if !self.is_installed().await? {
                return Ok(());
            }
            if !self.is_written().await? {
                self.service.lay_down().await?;
                self.write().await?;
            }
            self.service.take_up().await
        })
    }

    fn lay_down(&self) -> Doing<'_, ()> {
        self.service.lay_down()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use pvc_host::fake::FakeHost;

    use super::*;

    fn part(host: &FakeHost, place: &Path, text: &str) -> NameServer<FakeHost> {
        let (file, text) = (place.join("dns/pdns.conf"), Secret::new(text.to_owned()));
        NameServer::new(host.clone(), file, text).program(place.to_owned())
    }

    #[tokio::test]
    async fn its_settings_are_there_before_it_runs_and_only_its_owner_reads_them() {
        let (host, place) = (FakeHost::new(), tempfile::tempdir().unwrap());
        host.install_unit(UNIT);
        let first = part(&host, place.path(), "a=1\n");
        assert_eq!(first.held().await, Ok(Holding::NOTHING));
        first.take_up().await.unwrap();
        assert_eq!(first.held().await, Ok(Holding::EVERYTHING));
        let file = place.path().join("dns/pdns.conf");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "a=1\n");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn with_other_settings_it_is_started_again() {
        let (host, place) = (FakeHost::new(), tempfile::tempdir().unwrap());
        host.install_unit(UNIT);
        part(&host, place.path(), "a=1\n").take_up().await.unwrap();
        let second = part(&host, place.path(), "a=2\n");
        let before = host.changes();
        assert_eq!(second.held().await, Ok(Holding { any: true, all: false }));
        second.take_up().await.unwrap();
        assert_eq!((second.held().await, host.changes()), (Ok(Holding::EVERYTHING), before + 2));
        second.take_up().await.unwrap();
        assert_eq!(host.changes(), before + 2, "it runs on when it is as it should be");
    }

    #[tokio::test]
    async fn where_it_is_not_installed_nothing_is_written() {
        let place = tempfile::tempdir().unwrap();
        let (without, with) = (FakeHost::new(), FakeHost::new());
        with.install_unit(UNIT);
        let without_unit = part(&without, place.path(), "a=1\n");
        let without_program = part(&with, place.path(), "a=1\n").program("/nonexistent".into());
        for part in [without_unit, without_program] {
            part.take_up().await.unwrap();
            assert_eq!(part.held().await, Ok(Holding::of([])));
            assert!(!place.path().join("dns").exists());
        }
    }
}
