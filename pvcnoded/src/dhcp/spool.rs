//! What dnsmasqs told of leases and is not yet in the tree: a file for each event, `<number>-<vni>`.
//!
//! ```text
//!   helper:  .new-<vni> ── written, synced ──▶ <number>-<vni> (a link) ── folder synced
//!   daemon:  <number>-<vni> ── in the tree, and in what the next dnsmasq is told ──▶ removed
//! ```
//! Invariant: once [`Spool::put`] has succeeded, the event is there until the tree has it, whoever is
//! killed, and after a power cut. A helper that was killed before it was done has left a file
//! behind that, if it is whole, becomes an event when the next one comes, or the daemon.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use pvc_common::id::Vni;
use pvc_plan::dhcp::Event;

/// As many events wait. A tree that is away for a day, in a cluster of which every lease is renewed
/// in that time, leaves fewer.
pub const MOST: usize = 50_000;
/// As many of one network do: a day's renewals of three thousand VMs.
const MOST_OF_ONE: usize = 10_000;
/// As many of one network do in any case, however many others have.
const FEW: usize = 100;
/// Among so many of one network it is looked whom they concern.
const LOOKED_THROUGH: usize = 64;

/// An event is a line of words that are short.
const LONGEST_BYTES: usize = 4096;

/// The name of a file that is kept for trial.
const TRIAL: &str = ".trial";
/// How the name begins of a file that is no event yet.
const NEW: &str = ".new-";
/// As many bits has the number of a network.
const VNI_BITS: u32 = Vni::MAX.count_ones();

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

fn parse(text: &str) -> Option<Event> {
    // Without its end it is not whole.
    text.strip_suffix('\n')?.parse().ok()
}

fn read(path: &Path) -> io::Result<Option<Event>> {
    let mut text = String::new();
    match File::open(path)?.take(LONGEST_BYTES as u64).read_to_string(&mut text) {
        Ok(_) => Ok(parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}

/// Why no event of a network may come to the `all` that wait, of which `own` are its own. That of one
/// network many wait is no reason to refuse another's.
fn refusal(all: usize, own: usize) -> Option<String> {
    if own >= MOST_OF_ONE {
        return Some(format!("{own} events of this network wait already"));
    }
    (all >= MOST && own >= FEW).then(|| format!("{all} events wait already"))
}

/// An event's file.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// How many came before it, of whichever network.
    number: u64,
    vni: Vni,
}

impl Entry {
    fn parse(name: &str) -> Option<Self> {
        let (number, vni) = name.split_once('-')?;
        let number = number.parse().ok().filter(|number| *number <= u64::MAX >> VNI_BITS)?;
        Some(Self { number, vni: vni.parse().ok()? })
    }

    /// Its place in the order. Networks that are told of something at once take the same number.
    fn place(self) -> u64 {
        (self.number << VNI_BITS) | u64::from(self.vni.get())
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
        self.adopt(vni)?;
        let new = self.new_file(vni);
        let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
        // Held as long as the helper lives.
        file.lock()?;
        let kept = writeln!(file, "{event}")
            .and_then(|()| file.sync_all())
            .and_then(|()| self.admit(vni))
            .and_then(|()| self.link(vni));
        // What is not kept now is told again, and must not come back when it is true no more.
        let removed = fs::remove_file(&new);
        kept.and(removed)?;
        sync(&self.folder)
    }

    /// Where a network's next event is written.
    fn new_file(&self, vni: Vni) -> PathBuf {
        self.folder.join(format!("{NEW}{vni}"))
    }

    /// Makes an event of what a helper left behind that was killed. It waits for none that is at work.
    fn adopt(&self, vni: Vni) -> io::Result<()> {
        let new = self.new_file(vni);
        let left = || -> io::Result<Option<File>> {
            let file = File::open(&new)?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(None),
                locked => locked?,
            }
            // Its helper may have come to its end meanwhile, and the next one have begun.
            let same = fs::metadata(&new)?.ino() == file.metadata()?.ino();
            Ok(same.then_some(file))
        };
        let _locked = match left() {
            Ok(Some(file)) => file,
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if read(&new)?.is_some() {
            self.link(vni)?;
        }
        fs::remove_file(new)
    }

    /// Refuses an event of a network of which too many wait.
    fn admit(&self, vni: Vni) -> io::Result<()> {
        let entries = self.entries()?;
        let own = entries.iter().filter(|entry| entry.vni == vni).count();
        refusal(entries.len(), own).map_or(Ok(()), |why| Err(io::Error::other(why)))
    }

    /// Gives a network's new file the next number as its name.
    fn link(&self, vni: Vni) -> io::Result<()> {
        let entries = self.entries()?;
        let mut number = entries.last().map(|entry| entry.number).unwrap_or_default();
        loop {
            number += 1;
            match fs::hard_link(self.new_file(vni), self.path(Entry { number, vni }.place())) {
                // The daemon has just recovered it.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                outcome => return outcome,
            }
        }
    }

    fn path(&self, place: u64) -> PathBuf {
        let (number, vni) = (place >> VNI_BITS, place & u64::from(Vni::MAX));
        self.folder.join(format!("{number:012}-{vni}"))
    }

    /// In order.
    fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries: Vec<Entry> =
            self.names()?.iter().filter_map(|name| Entry::parse(name)).collect();
        entries.sort_unstable_by_key(|entry| entry.place());
        Ok(entries)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    /// Makes events of what helpers left behind that were killed, while they are true.
    ///
    /// # Errors
    /// When the folder cannot be read or changed.
    pub fn recover(&self) -> io::Result<()> {
        let names = self.names()?;
        let mut left = names.iter().filter_map(|name| name.strip_prefix(NEW)?.parse().ok());
        left.try_for_each(|vni| self.adopt(vni))
    }

    /// The first events that wait after that place, in order, at most `most`.
    ///
    /// What cannot be understood is put aside, and told.
    ///
    /// # Errors
    /// When the folder or one of them cannot be read.
    pub fn waiting(&self, after: u64, most: usize) -> io::Result<Vec<Waiting>> {
        let mut waiting = Vec::new();
        let entries = self.entries()?.into_iter().filter(|entry| entry.place() > after);
        for entry in entries.take(most) {
            let (number, vni) = (entry.place(), entry.vni);
            let path = self.path(number);
            match read(&path) {
                Ok(Some(event)) => waiting.push(Waiting { number, vni, event }),
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
        for entry in self.entries()?.into_iter().filter(|entry| entry.vni == vni) {
            let path = self.path(entry.place());
            match read(&path) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => return Err(invalid(format!("{} is no event", path.display()))),
                // The daemon has just put it into the leases, which are read after this.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(events)
    }

    /// Whether what waits of a network may concern the same lease or address as an event does: among
    /// many it is not looked.
    ///
    /// # Errors
    /// When the folder or one of them cannot be read.
    pub fn may_concern(&self, vni: Vni, event: &Event) -> io::Result<bool> {
        if self.new_file(vni).try_exists()? {
            return Ok(true);
        }
        let mut own = self.entries()?;
        own.retain(|entry| entry.vni == vni);
        if own.len() > LOOKED_THROUGH {
            return Ok(true);
        }
        for entry in own {
            match read(&self.path(entry.place())) {
                Ok(Some(other)) if !other.record().concerns(event.record()) => {}
                Ok(_) => return Ok(true),
                // The daemon has just put it into the leases.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Of these networks, those of which an event could be kept now, as one is kept for trial.
    ///
    /// # Errors
    /// When none could be.
    pub fn room(&self, networks: impl IntoIterator<Item = Vni>) -> io::Result<BTreeSet<Vni>> {
        fs::create_dir_all(&self.folder)?;
        let trial = self.folder.join(TRIAL);
        let kept = File::create(&trial).and_then(|mut file| {
            file.write_all(&[b'\n'; LONGEST_BYTES])?;
            file.sync_all()
        });
        let removed = fs::remove_file(&trial);
        kept.and(removed)?;
        sync(&self.folder)?;
        let entries = self.entries()?;
        let has_room = |vni: &Vni| {
            let own = entries.iter().filter(|entry| entry.vni == *vni).count();
            refusal(entries.len(), own).is_none()
        };
        Ok(networks.into_iter().filter(has_room).collect())
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

    /// Where the network's event of that number is.
    fn at(spool: &Spool, number: u64) -> PathBuf {
        spool.path(Entry { number, vni: vni() }.place())
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
        fs::write(&new, format!("{}\n", event(2))).unwrap();
        spool.recover().unwrap();
        assert_eq!(shown(&spool), [event(1), event(2)]);
        // It does not come back later, when it may be true no more.
        spool.put(vni(), &event(3)).unwrap();
        assert_eq!(shown(&spool), [1, 2, 3].map(event));
        fs::write(&new, format!("{}\n", event(4))).unwrap();
        spool.put(vni(), &event(5)).unwrap();
        assert_eq!(shown(&spool), [1, 2, 3, 4, 5].map(event));
        // Killed after it had made an event of it: told twice, which is harmless.
        fs::hard_link(at(&spool, 5), &new).unwrap();
        spool.recover().unwrap();
        assert_eq!(shown(&spool), [1, 2, 3, 4, 5, 5].map(event));
    }

    #[test]
    fn a_helper_that_is_at_work_is_left_alone() {
        let (_folder, spool) = spool();
        spool.put(vni(), &event(1)).unwrap();
        let helper = File::create_new(spool.folder.join(".new-1000")).unwrap();
        helper.lock().unwrap();
        writeln!(&helper, "{}", event(2)).unwrap();
        spool.recover().unwrap();
        assert_eq!(shown(&spool), [event(1)]);
        drop(helper);
        spool.recover().unwrap();
        assert_eq!(shown(&spool), [event(1), event(2)]);
    }

    #[test]
    fn half_an_event_is_none() {
        let (_folder, spool) = spool();
        spool.put(vni(), &event(1)).unwrap();
        let whole = format!("{}\n", event(2));
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
        fs::write(at(&spool, 2), "nonsense").unwrap();
        fs::write(at(&spool, 3), [0xff, 0xfe]).unwrap();
        spool.put(vni(), &event(4)).unwrap();
        assert!(spool.of(vni()).is_err(), "nobody knows what it was about");
        assert_eq!(shown(&spool), [event(1), event(4)]);
        assert_eq!(spool.of(vni()).unwrap(), [event(1), event(4)]);
    }

    #[test]
    fn however_many_events_of_one_network_wait_others_are_kept() {
        let (_folder, spool) = spool();
        let many = |n: u32, most: usize| {
            let vni: Vni = n.to_string().parse().unwrap();
            spool.put(vni, &event(1)).unwrap();
            let first = spool.entries().unwrap().last().unwrap().number;
            let path = |number| spool.path(Entry { number, vni }.place());
            // Links, which are soon made.
            for number in (first..).take(most).skip(1) {
                fs::hard_link(path(first), path(number)).unwrap();
            }
        };
        let other: Vni = "7".parse().unwrap();
        many(1000, MOST_OF_ONE);
        let error = spool.put(vni(), &event(2)).unwrap_err();
        assert_eq!(error.to_string(), "10000 events of this network wait already");
        assert!(!spool.new_file(vni()).exists(), "it would come back when there is room");
        spool.put(other, &event(3)).unwrap();
        for n in 1001..1005 {
            many(n, MOST_OF_ONE);
        }
        spool.put(other, &event(4)).unwrap();
        assert_eq!(spool.of(other).unwrap(), [event(3), event(4)]);
        assert_eq!(refusal(MOST, FEW), Some("50000 events wait already".to_owned()));
        // Once it was seen to, there is room for more, and what was refused is told again.
        let first = spool.waiting(0, 100).unwrap();
        first.iter().for_each(|waiting| spool.remove(waiting.number).unwrap());
        spool.put(vni(), &event(5)).unwrap();
        assert_eq!(spool.of(vni()).unwrap().last(), Some(&event(5)));
    }
}
