//! The file that holds the connections.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::place::Place;
use super::{Entry, local};
use crate::failure::{Failure, Outcome};
use crate::out::Out;

/// All connections, by name.
#[derive(Debug)]
pub(crate) struct Store {
    place: Place,
    entries: BTreeMap<String, Value>,
}

impl Store {
    /// Opens the store of this person.
    pub(crate) fn open(out: Out) -> Result<Self, Failure> {
        Self::load(Place::from_environment(out)?)
    }

    fn load(place: Place) -> Result<Self, Failure> {
        let path = path_in(&place.directory);
        let mut entries = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Failure::new(format!("{} is not a store of connections: {error}", path.display()))
                    .hint("Repair the file or move it away.")
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(failed("read", &path, &error)),
        };
        if let Some(file) = local::find() {
            entries.entry(local::NAME.to_owned()).or_insert_with(|| Entry::Config(file).write());
        }
        Ok(Self { place, entries })
    }

    /// Every connection that can be read, by name; those that cannot are returned as
    /// failures beside it.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, Result<Entry, Failure>)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), Entry::read(name, value)))
    }

    /// The connection of this name; without a name, the one to this machine.
    pub(crate) fn select(&self, name: Option<&str>) -> Result<(String, Entry), Failure> {
        let wanted = name.unwrap_or(local::NAME);
        match (self.entries.get(wanted), name) {
            (Some(value), _) => Ok((wanted.to_owned(), Entry::read(wanted, value)?)),
            (None, Some(name)) => Err(Failure::new(format!(
                "Invalid connection \"{name}\" specified; set a valid connection and try again."
            ))
            .hint("`pvc connection list` shows the valid ones.")),
            (None, None) => Err(Failure::new(
                "No connection specified and no local API configuration found. \
                 Use \"pvc connection\" to add a connection.",
            )
            .hint(
                "Choose one of `pvc connection list` with `pvc --connection NAME` or in \
                 PVC_CONNECTION.",
            )),
        }
    }

    /// Adds or replaces a connection, on disk as well.
    pub(crate) fn add(out: Out, name: &str, remote: super::Remote) -> Outcome {
        Self::change(out, |store| {
            store.entries.insert(name.to_owned(), Entry::Remote(remote).write());
            Ok(())
        })
    }

    /// Removes a connection, on disk as well.
    pub(crate) fn remove(out: Out, name: &str) -> Outcome {
        Self::change(out, |store| match store.entries.remove(name) {
            Some(_) => Ok(()),
            None => Err(Failure::new(format!("No connection \"{name}\" found."))
                .hint("`pvc connection list` shows the valid ones.")),
        })
    }

    /// Reads, changes and writes the store while no other client does.
    fn change(out: Out, change: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        let place = Place::from_environment(out)?;
        let directory = place.directory.clone();
        let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        created.map_err(|error| failed("create", &directory, &error))?;
        let handle = File::open(&directory).map_err(|error| failed("open", &directory, &error))?;
        let _lock = Flock::lock(handle, FlockArg::LockExclusive)
            .map_err(|(_, errno)| failed("lock", &directory, &errno.into()))?;
        let mut store = Self::load(place)?;
        change(&mut store)?;
        store.save()
    }

    /// Replaces the file in one step, so that a reader sees the old one or the new one.
    fn save(&self) -> Outcome {
        let path = path_in(&self.place.directory);
        let mode = fs::metadata(&path).map_or(self.place.mode, |old| old.permissions().mode());
        let mut text = Vec::new();
        let formatter = PrettyFormatter::with_indent(b"    ");
        self.entries
            .serialize(&mut Serializer::with_formatter(&mut text, formatter))
            .expect("a map of JSON values is JSON");
        text.push(b'\n');
        let replace = || -> io::Result<()> {
            // Created readable by its owner alone.
            let mut file = tempfile::NamedTempFile::new_in(&self.place.directory)?;
            file.write_all(&text)?;
            file.as_file().set_permissions(fs::Permissions::from_mode(mode & 0o777))?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        replace().map_err(|error| failed("write", &path, &error))
    }
}

fn path_in(directory: &Path) -> PathBuf {
    directory.join("pvc.json")
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("Failed to {what} {}: {error}", path.display()))
        .hint("PVC_CLIENT_DIR names the directory of the store.")
}
