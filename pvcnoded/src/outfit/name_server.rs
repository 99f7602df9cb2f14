//! PowerDNS, which answers for the cluster's names at the floating addresses.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pvc_common::secret::Secret;
use pvc_host::{UnitState, Units};
use pvc_plan::primary::{Holding, Phase};
use tokio::fs::{self, OpenOptions};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use super::{Doing, Part, Service, failure, question};
use crate::primary::OutfitError;

/// Its unit, which reads the settings that are written here.
const UNIT: &str = "pvc-dns.service";
const PROGRAM: &str = "/usr/sbin/pdns_server";
const PORT: u16 = 53;

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
    /// Where it is asked whether it answers.
    places: Vec<SocketAddr>,
    /// What it was found wanting when it was asked last.
    silent: Mutex<Option<String>>,
}

impl<U: Units + Clone> NameServer<U> {
    /// PowerDNS with these settings in this file.
    pub fn new(units: U, file: PathBuf, text: Secret<String>) -> Self {
        let (service, program) = (Service::new(units.clone(), UNIT), PROGRAM.into());
        let (places, silent) = (Vec::new(), Mutex::default());
        Self { service, units, program, file, text, places, silent }
    }

    /// The same, asked at these addresses whether it answers.
    #[must_use]
    pub fn asked_at(mut self, addresses: &[IpAddr]) -> Self {
        self.places = addresses.iter().map(|address| SocketAddr::new(*address, PORT)).collect();
        self
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

    /// Whether it answers everywhere. One that does not is not started again: whoever waits for its
    /// database, as it may, would only wait longer.
    async fn answers(&self) -> bool {
        let mut asked = JoinSet::new();
        for place in &self.places {
            asked.spawn(question::ask(*place));
        }
        let silent = asked.join_all().await.into_iter().find_map(Result::err);
        let answers = silent.is_none();
        *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = silent;
        answers
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
            let right = held.all && (!held.any || self.is_written().await?);
            Ok(Holding { all: right && (!held.any || self.answers().await), ..held })
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
            self.service.take_up().await?;
            match self.silent.lock().unwrap_or_else(PoisonError::into_inner).take() {
                Some(what) => Err(OutfitError { what }),
                None => Ok(()),
            }
        })
    }

    fn lay_down(&self) -> Doing<'_, ()> {
        // What was seen of this one says nothing of the next.
        *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.service.lay_down()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use pvc_host::fake::FakeHost;

    use super::super::question::tests::server;
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
    async fn one_that_runs_and_does_not_answer_is_told_of_until_it_does() {
        let (host, place) = (FakeHost::new(), tempfile::tempdir().unwrap());
        host.install_unit(UNIT);
        let (silent, _first) = server(false).await;
        let (speaking, _second) = server(true).await;
        let mut part = part(&host, place.path(), "a=1\n");
        part.places = vec![speaking, silent];
        part.take_up().await.unwrap();
        assert_eq!(part.held().await, Ok(Holding { any: true, all: false }));
        let before = host.changes();
        let trouble = part.take_up().await.unwrap_err().what;
        assert!(trouble.starts_with(&format!("it runs, and does not answer at {silent} ")));
        assert_eq!(host.changes(), before, "it is not started again for that");
        part.places = vec![speaking];
        assert_eq!(part.held().await, Ok(Holding::EVERYTHING));
        part.take_up().await.unwrap();
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
