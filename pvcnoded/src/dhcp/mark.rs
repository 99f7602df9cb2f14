//! Marks of networks whose helper could not keep what it was told: then only their dnsmasq knows it.
//!
//! ```text
//!   helper:  an event cannot be kept ──▶ missed/<vni>
//!   daemon:  events can be kept again ──▶ missed/<vni>.asked ──▶ dnsmasq is asked ──▶ removed
//! ```
//! Invariant: from the failure until dnsmasq was asked to tell of all its leases there is a mark,
//! whoever is killed. Marks are in memory, as what a dnsmasq knows is: it may be the disk that failed.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use pvc_common::id::Vni;

/// How the name of a mark ends whose dnsmasq is being asked.
const ASKED: &str = ".asked";
/// A reason is a line.
const LONGEST_BYTES: u64 = 300;

/// The folder of marks.
#[derive(Clone, Debug)]
pub struct Marks {
    folder: PathBuf,
}

fn unless_absent(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

impl Marks {
    /// The marks in a folder, which need not exist.
    pub(super) fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn path(&self, vni: Vni) -> PathBuf {
        self.folder.join(vni.to_string())
    }

    fn asked(&self, vni: Vni) -> PathBuf {
        self.folder.join(format!("{vni}{ASKED}"))
    }

    /// Marks a network, with why an event of it could not be kept.
    ///
    /// # Errors
    /// When there is no mark afterwards.
    pub fn set(&self, vni: Vni, why: &str) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        match OpenOptions::new().write(true).create_new(true).open(self.path(vni)) {
            // A mark without its reason is one, too.
            Ok(mut file) => file.write_all(why.as_bytes()).or(Ok(())),
            // The first reason stays, so that the same is told as long as it is so.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The networks that are marked, and why.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn all(&self) -> io::Result<BTreeMap<Vni, String>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            entries => entries?,
        };
        let mut all = BTreeMap::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(vni) = name.strip_suffix(ASKED).unwrap_or(&name).parse::<Vni>() else {
                continue;
            };
            let mut why = String::new();
            let file = OpenOptions::new().read(true).open(entry.path());
            let read = file.and_then(|file| file.take(LONGEST_BYTES).read_to_string(&mut why));
            if read.is_err() || why.is_empty() {
                "nobody knows why".clone_into(&mut why);
            }
            all.insert(vni, why);
        }
        Ok(all)
    }

    /// From now on a mark that is set is another one: its dnsmasq is about to be asked.
    ///
    /// # Errors
    /// When the folder cannot be changed.
    pub(super) fn begin(&self, vni: Vni) -> io::Result<()> {
        unless_absent(fs::rename(self.path(vni), self.asked(vni)))
    }

    /// Its dnsmasq was asked.
    ///
    /// # Errors
    /// When the folder cannot be changed.
    pub(super) fn end(&self, vni: Vni) -> io::Result<()> {
        unless_absent(fs::remove_file(self.asked(vni)))
    }

    /// Removes whatever there is of a network, whose dnsmasq is gone with what it knew.
    ///
    /// # Errors
    /// When the folder cannot be changed.
    pub(super) fn forget(&self, vni: Vni) -> io::Result<()> {
        unless_absent(fs::remove_file(self.path(vni)))?;
        self.end(vni)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_while_a_dnsmasq_is_asked_is_marked_anew() {
        let folder = tempfile::tempdir().unwrap();
        let marks = Marks::new(folder.path().join("missed"));
        let vni: Vni = "1000".parse().unwrap();
        let marked = || marks.all().unwrap().into_values().collect::<Vec<_>>();
        assert_eq!(marked(), [""; 0]);
        marks.set(vni, "the disk is full").unwrap();
        marks.set(vni, "it still is").unwrap();
        assert_eq!(marked(), ["the disk is full"]);
        marks.begin(vni).unwrap();
        assert_eq!(marked(), ["the disk is full"], "whoever is killed now");
        marks.set(vni, "full again").unwrap();
        marks.end(vni).unwrap();
        assert_eq!(marked(), ["full again"]);
        marks.begin(vni).unwrap();
        marks.begin(vni).unwrap();
        marks.end(vni).unwrap();
        marks.end(vni).unwrap();
        assert_eq!(marked(), [""; 0]);
        marks.set(vni, "").unwrap();
        assert_eq!(marked(), ["nobody knows why"]);
        marks.forget(vni).unwrap();
        marks.forget(vni).unwrap();
        assert_eq!(marked(), [""; 0]);
    }
}
