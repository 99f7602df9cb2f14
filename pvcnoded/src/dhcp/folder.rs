//! The folder of a network's dnsmasq: what it reads, and what its helper tells it.
//!
//! It is there exactly as long as the dnsmasq may run, and gone after a boot, as that is.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pvc_common::id::Vni;
use pvc_plan::dhcp::{BadRecord, Files, Record};

use super::mark::Marks;

/// The last line of a file of leases that is whole.
const END: &str = "end";

/// The folders of all networks.
#[derive(Clone, Debug)]
pub struct Folders {
    root: PathBuf,
}

impl Folders {
    /// Folders below `root`, which need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// What is below the root besides the folders.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The marks of networks whose helper could not keep what it was told.
    #[must_use]
    pub fn marks(&self) -> Marks {
        Marks::new(self.root.join("missed"))
    }

    /// The folder of a network.
    #[must_use]
    pub fn of(&self, vni: Vni) -> PathBuf {
        self.root.join(vni.to_string())
    }

    /// The networks that have one.
    ///
    /// # Errors
    /// When the root cannot be read.
    pub fn all(&self) -> io::Result<BTreeSet<Vni>> {
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            entries => entries?,
        };
        let mut all = BTreeSet::new();
        for entry in entries {
            all.extend(entry?.file_name().to_str().and_then(|name| name.parse::<Vni>().ok()));
        }
        Ok(all)
    }

    /// The files of a network, unless one of them is not there.
    #[must_use]
    pub fn files(&self, vni: Vni) -> Option<Files> {
        let read = |name| fs::read_to_string(self.of(vni).join(name)).ok();
        Some(Files { conf: read("dnsmasq.conf")?, hosts: read("hosts")?, names: read("names")? })
    }

    /// Writes the files of a network. The configuration comes last: without the others there is
    /// none.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write(&self, vni: Vni, files: &Files) -> io::Result<()> {
        let folder = self.of(vni);
        fs::create_dir_all(&folder)?;
        put(&folder.join("hosts"), &files.hosts)?;
        put(&folder.join("names"), &files.names)?;
        put(&folder.join("dnsmasq.conf"), &files.conf)
    }

    /// The leases that a network's dnsmasq is told when it starts.
    ///
    /// # Errors
    /// When they are not there, or not whole.
    pub fn leases(&self, vni: Vni) -> io::Result<Vec<Record>> {
        let path = self.of(vni).join("leases");
        let bad = |why: String| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", path.display()))
        };
        let text = fs::read_to_string(&path).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
        let mut lines = text.lines();
        if lines.next_back() != Some(END) {
            return Err(bad("not whole".to_owned()));
        }
        lines.map(|line| line.parse().map_err(|error: BadRecord| bad(error.to_string()))).collect()
    }

    /// Writes the leases that a network's dnsmasq is told when it starts.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_leases(&self, vni: Vni, leases: &[Record]) -> io::Result<()> {
        fs::create_dir_all(self.of(vni))?;
        let lines: String = leases.iter().map(|lease| format!("{lease}\n")).collect();
        put(&self.of(vni).join("leases"), &format!("{lines}{END}\n"))
    }

    /// Removes a network's folder, and its mark.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(&self, vni: Vni) -> io::Result<()> {
        self.marks().forget(vni)?;
        match fs::remove_dir_all(self.of(vni)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }
}

/// Puts a text in place at once: whoever reads finds the old one or the new one.
fn put(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    drop(file);
    fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_half_of_it_does_not() {
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::new(root.path().join("dhcp"));
        let vni: Vni = "1000".parse().unwrap();
        assert!(folders.all().unwrap().is_empty());
        let leases: Vec<Record> =
            ["v4 52:54:00:00:00:01 10.1.0.9 web1 7 *", "v6 00:01 7 2001:db8::1 * 7 *"]
                .map(|text| text.parse().unwrap())
                .into();
        folders.write_leases(vni, &leases).unwrap();
        assert_eq!(folders.leases(vni).unwrap(), leases);
        assert_eq!(folders.files(vni), None);
        let text = |text: &str| text.to_owned();
        let files = Files { conf: text("a"), hosts: text(""), names: text("c") };
        folders.write(vni, &files).unwrap();
        assert_eq!(folders.files(vni), Some(files));
        assert_eq!(folders.all().unwrap(), [vni].into());
        let path = folders.of(vni).join("leases");
        let whole = fs::read_to_string(&path).unwrap();
        for end in 0..whole.len() - 1 {
            fs::write(&path, &whole[..end]).unwrap();
            assert!(folders.leases(vni).is_err(), "{end}");
        }
        folders.forget(vni).unwrap();
        folders.forget(vni).unwrap();
        assert!(folders.all().unwrap().is_empty());
        assert!(folders.leases(vni).is_err());
    }
}
