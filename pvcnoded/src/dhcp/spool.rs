//! What dnsmasqs told of leases and is not yet in the tree: a file for each event, numbered.
//!
//! ```text
//!   helper:  .new-<vni> ── written, synced ──▶ <number> (a link: never another's) ── folder synced
//!   daemon:  <number> ── in the tree, and in what the next dnsmasq is told ──▶ removed
//! ```
//! Invariant: once [`Spool::put`] has succeeded, the event is there until the tree has it, whoever is
//! killed, and after a power cut. A helper that was killed before it was done has left a file
//! behind that, if it is whole, becomes an event when the next one comes, or the daemon.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use pvc_common::id::Vni;
use pvc_plan::dhcp::Event;

/// As many events wait. A tree that is away for a day, in a cluster of which every lease is renewed
/// in that time, leaves fewer.
pub const MOST: usize = 50_000;

/// An event is a line of words that are short.
const LONGEST_BYTES: u64 = 4096;

/// The folder of events.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
}

/// An event that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its place in the order.
    pub number: u64,
    /// Of which network it is.
    pub vni: Vni,
    /// What happened.
    pub event: Event,
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Has what was done to a folder survive a power cut.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn parse(text: &str) -> Option<(Vni, Event)> {
    // Without its end it is not whole.
    let (vni, event) = text.strip_suffix('\n')?.split_once(' ')?;
    Some((vni.parse().ok()?, event.parse().ok()?))
}

fn read(path: &Path) -> io::Result<Option<(Vni, Event)>> {
    let mut text = String::new();
    match File::open(path)?.take(LONGEST_BYTES).read_to_string(&mut text) {
        Ok(_) => Ok(parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}

impl Spool {
    /// The spool in a folder, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Keeps an event of a network. Helpers of one network call this one after the other.
    ///
    /// # Errors
    /// When it could not be kept for good; then it may or may not be there.
    pub fn put(&self, vni: Vni, event: &Event) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let new = self.folder.join(format!(".new-{vni}"));
        self.adopt(&new)?;
        let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
        writeln!(file, "{vni} {event}")?;
        file.sync_all()?;
        self.link(&new)?;
        fs::remove_file(&new)?;
        sync(&self.folder)
    }

    /// Makes an event of what a helper left behind that was killed.
    fn adopt(&self, new: &Path) -> io::Result<()> {
        match read(new) {
            Ok(Some(_)) => self.link(new)?,
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        }
        fs::remove_file(new)
    }

    /// Gives a file the next number as its name.
    fn link(&self, new: &Path) -> io::Result<()> {
        let numbers = self.numbers()?;
        if numbers.len() >= MOST {
            return Err(io::Error::other(format!("{MOST} events wait already")));
        }
        let mut number = numbers.last().copied().unwrap_or_default();
        loop {
            number += 1;
            match fs::hard_link(new, self.path(number)) {
                // A helper of another network was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                outcome => return outcome,
            }
        }
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:012}"))
    }

    /// In order.
    fn numbers(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for name in self.names()? {
            numbers.extend(name.parse::<u64>().ok());
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    /// Makes events of what helpers left behind that were killed; for when the daemon starts.
    ///
    /// # Errors
    /// When the folder cannot be read or changed.
    pub fn recover(&self) -> io::Result<()> {
        for name in self.names()?.iter().filter(|name| name.starts_with(".new-")) {
            // A helper may be at work right now, and goes on with its file itself.
            let path = self.folder.join(name);
            if read(&path)?.is_some() {
                self.link(&path)?;
            }
        }
        Ok(())
    }

    /// The first events that wait after that number, in order, at most `most`.
    ///
    /// What cannot be understood is put aside, and told.
    ///
    /// # Errors
    /// When the folder or one of them cannot be read.
    pub fn waiting(&self, after: u64, most: usize) -> io::Result<Vec<Waiting>> {
        let mut waiting = Vec::new();
        for number in self.numbers()?.into_iter().filter(|number| *number > after).take(most) {
            let path = self.path(number);
            match read(&path) {
                Ok(Some((vni, event))) => waiting.push(Waiting { number, vni, event }),
                Ok(None) => {
                    tracing::error!("dhcp: {} is no event of a lease; put aside", path.display());
                    fs::rename(&path, path.with_extension("bad"))?;
                }
                // It was seen to meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(waiting)
    }

    /// The events of one network, in order.
    ///
    /// # Errors
    /// When the folder or one of them cannot be read or understood: then nobody knows what the
    /// leases are.
    pub fn of(&self, vni: Vni) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        for number in self.numbers()? {
            let path = self.path(number);
            match read(&path) {
                Ok(Some((of, event))) if of == vni => events.push(event),
                Ok(Some(_)) => {}
                Ok(None) => return Err(invalid(format!("{} is no event", path.display()))),
                // The daemon has just put it into the leases, which are read after this.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(events)
    }

    /// Removes an event that waits no more.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self, number: u64) -> io::Result<()> {
        match fs::remove_file(self.path(number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: u8) -> Event {
        format!("held v4 52:54:00:00:00:{n:02x} 10.1.0.{n} * 6000 *").parse().unwrap()
    }

    fn vni() -> Vni {
        "1000".parse().unwrap()
    }

    fn spool() -> (tempfile::TempDir, Spool) {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path().join("spool"));
        (folder, spool)
    }

    fn shown(spool: &Spool) -> Vec<Event> {
        spool.waiting(0, MOST).unwrap().into_iter().map(|waiting| waiting.event).collect()
    }

    #[test]
    fn events_wait_in_the_order_they_came_in_until_they_are_removed() {
        let (_folder, spool) = spool();
        assert_eq!(shown(&spool), []);
        (1..=12).for_each(|n| spool.put(vni(), &event(n)).unwrap());
        assert_eq!(shown(&spool), (1..=12).map(event).collect::<Vec<_>>());
        for waiting in spool.waiting(0, 11).unwrap() {
            spool.remove(waiting.number).unwrap();
            spool.remove(waiting.number).unwrap();
        }
        spool.put(vni(), &event(13)).unwrap();
        assert_eq!(shown(&spool), [event(12), event(13)]);
        assert_eq!(spool.of(vni()).unwrap(), [event(12), event(13)]);
        assert_eq!(spool.of("7".parse().unwrap()).unwrap(), []);
    }

    #[test]
    fn helpers_of_many_networks_lose_nothing_at_once() {
        let (_folder, spool) = spool();
        std::thread::scope(|scope| {
            for network in 1..=8_u32 {
                let (spool, vni) = (&spool, network.to_string().parse().unwrap());
                scope.spawn(move || (1..=20).for_each(|n| spool.put(vni, &event(n)).unwrap()));
            }
        });
        assert_eq!(spool.waiting(0, MOST).unwrap().len(), 160);
        let all: Vec<_> = (1..=20).map(event).collect();
        assert_eq!(spool.of("3".parse().unwrap()).unwrap(), all);
    }

    #[test]
    fn what_a_killed_helper_had_written_is_not_lost() {
        let (_folder, spool) = spool();
        spool.put(vni(), &event(1)).unwrap();
        let new = spool.folder.join(".new-1000");
        fs::write(&new, format!("1000 {}\n", event(2))).unwrap();
        spool.recover().unwrap();
        assert_eq!(shown(&spool), [event(1), event(2)]);
        // Killed after it had made an event of it: told twice, which is harmless.
        spool.put(vni(), &event(3)).unwrap();
        assert_eq!(shown(&spool), [1, 2, 2, 3].map(event));
        fs::write(&new, format!("1000 {}\n", event(4))).unwrap();
        spool.put(vni(), &event(5)).unwrap();
        assert_eq!(shown(&spool), [1, 2, 2, 3, 4, 5].map(event));
    }

    #[test]
    fn half_an_event_is_none() {
        let (_folder, spool) = spool();
        spool.put(vni(), &event(1)).unwrap();
        let whole = format!("1000 {}\n", event(2));
        for end in 0..whole.len() {
            fs::write(spool.folder.join(".new-1000"), &whole[..end]).unwrap();
            spool.recover().unwrap();
            assert_eq!(shown(&spool), [event(1)], "{end}");
        }
        spool.put(vni(), &event(3)).unwrap();
        assert_eq!(shown(&spool), [event(1), event(3)]);
    }

    #[test]
    fn what_is_no_event_is_put_aside_and_holds_up_no_other() {
        let (_folder, spool) = spool();
        spool.put(vni(), &event(1)).unwrap();
        fs::write(spool.path(2), "nonsense").unwrap();
        fs::write(spool.path(3), [0xff, 0xfe]).unwrap();
        spool.put(vni(), &event(4)).unwrap();
        assert!(spool.of(vni()).is_err(), "nobody knows what it was about");
        assert_eq!(shown(&spool), [event(1), event(4)]);
        assert_eq!(spool.of(vni()).unwrap(), [event(1), event(4)]);
    }
}
