//! What a task keeps of itself, so that the next daemon can tell what it did from what was there.

use std::fmt;
use std::str::FromStr;

use pvc_common::id::{DevicePath, Fsid, LvName, OsdId};
use pvc_common::observed::{BlockDevice, Machine};
use pvc_common::unit::{Bytes, Weight};

/// One line that is kept with a task. It reads back as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// This disk was blank when the task began.
    Blank(BlankDisk),
    /// These OSDs make room for others with the same numbers, on a disk that was blank.
    Replacing {
        /// The disk.
        disk: BlankDisk,
        /// The OSDs, by their numbers.
        osds: Vec<Replaced>,
    },
    /// This OSD is on its way out.
    Removing {
        /// Its number.
        osd: OsdId,
        /// Its identity.
        fsid: Fsid,
        /// The volume of its database, if that is elsewhere.
        db: Option<LvName>,
    },
}

/// A disk, and what it is told by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlankDisk {
    /// Its path, as the kernel had it.
    pub path: DevicePath,
    /// Its size.
    pub size: Bytes,
    /// The run of the machine.
    pub boot: String,
}

/// An OSD that makes room for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// Its number.
    pub osd: OsdId,
    /// Its identity.
    pub fsid: Fsid,
    /// The share of the data that the other one takes.
    pub weight: Weight,
    /// The size of the other one's database, if that is elsewhere.
    pub db: Option<Bytes>,
}

impl BlankDisk {
    pub(super) fn of(disk: &BlockDevice, machine: &Machine) -> Self {
        Self { path: disk.path.clone(), size: disk.size, boot: machine.boot.clone() }
    }

    /// Whether that is surely the disk of that name now: not if the run of the machine is unknown.
    pub(super) fn is_still(&self, disk: &BlockDevice, machine: &Machine) -> bool {
        !self.boot.is_empty() && *self == Self::of(disk, machine)
    }
}

/// Why a line is no memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadMemory(String);

impl fmt::Display for BadMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "what the task kept of itself is not understood: `{}`", self.0)
    }
}

impl std::error::Error for BadMemory {}

impl fmt::Display for BlankDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without a name it still has to have a place in the line.
        let boot = if self.boot.is_empty() { "-" } else { &self.boot };
        write!(f, "{} {} {boot}", self.path, self.size.0)
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank(disk) => write!(f, "blank {disk}"),
            Self::Replacing { disk, osds } => {
                write!(f, "replacing {disk}")?;
                for Replaced { osd, fsid, weight, db } in osds {
                    write!(f, " {osd}={fsid}={weight}=")?;
                    f.write_str(&or_dash(db.map(|db| db.0)))?;
                }
                Ok(())
            }
            Self::Removing { osd, fsid, db } => {
                write!(f, "removing {osd} {fsid} {}", or_dash(db.as_ref()))
            }
        }
    }
}

/// A part of a line, which may be missing.
fn or_dash(part: Option<impl fmt::Display>) -> String {
    part.map_or_else(|| "-".to_owned(), |part| part.to_string())
}

/// What [`or_dash`] wrote.
#[expect(clippy::option_option, reason = "not understood, and missing")]
fn maybe<T: FromStr>(text: &str) -> Option<Option<T>> {
    if text == "-" { Some(None) } else { text.parse().ok().map(Some) }
}

fn replaced(text: &str) -> Option<Replaced> {
    let mut parts = text.split('=');
    let replaced = Replaced {
        osd: parts.next()?.parse().ok()?,
        fsid: parts.next()?.parse().ok()?,
        weight: parts.next()?.parse().ok()?,
        db: maybe::<u64>(parts.next()?)?.map(Bytes),
    };
    parts.next().is_none().then_some(replaced)
}

impl FromStr for Memory {
    type Err = BadMemory;

    fn from_str(text: &str) -> Result<Self, BadMemory> {
        let parse = || {
            let words: Vec<&str> = text.split(' ').collect();
            let disk = |words: &[&str]| {
                let [path, size, boot] = words else { return None };
                let boot = if *boot == "-" { "" } else { boot };
                let size = Bytes(size.parse().ok()?);
                Some(BlankDisk { path: path.parse().ok()?, size, boot: boot.to_owned() })
            };
            match &words[..] {
                ["blank", rest @ ..] => disk(rest).map(Self::Blank),
                ["replacing", path, size, boot, osds @ ..] if !osds.is_empty() => {
                    let osds = osds.iter().map(|osd| replaced(osd)).collect::<Option<_>>()?;
                    Some(Self::Replacing { disk: disk(&[path, size, boot])?, osds })
                }
                ["removing", osd, fsid, db] => Some(Self::Removing {
                    osd: osd.parse().ok()?,
                    fsid: fsid.parse().ok()?,
                    db: maybe(db)?,
                }),
                _ => None,
            }
        };
        parse().ok_or_else(|| BadMemory(text.chars().take(80).collect()))
    }
}
