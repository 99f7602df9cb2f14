//! The record of a guest `writer`: which boots of a VM wrote, and in which order.
//!
//! All hosts append to one file of one file system, so the file shows the true order of all
//! writes, wherever they came from: even those of a host that nobody could hear. A line
//! `<boot> <counter>` of one boot after the first sign of the next means that two QEMUs of one VM
//! could write at once, which must never be.

use std::path::PathBuf;
use std::time::Duration;
use std::{fs, io};

use super::{Lab, until};

/// How long a boot's name and a counter are: `25123456-9f3c 0000002a`.
const LINE: usize = 22;

/// How long a guest may take from the start of its VM to its first line.
const FIRST: Duration = Duration::from_secs(30);

/// How long a guest may take for one line, on a busy machine.
const BEAT: Duration = Duration::from_millis(500);

/// One boot of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// What it calls itself.
    pub name: String,
    /// How many whole lines it wrote.
    pub lines: u32,
}

impl Lab {
    /// Defines a VM that writes, with a fresh record, starts it on `node` and waits until it does.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn writer(&self, name: &str, node: &str) -> String {
        let forgotten = self.forget(&format!("{}{name}", super::PREFIX));
        forgotten.expect("the record of an earlier test can be removed");
        let vm = self.define("writer", name, &["--target", node]);
        self.pvc(&["vm", "start", &vm]);
        self.await_boot(&vm, 1);
        assert_eq!(self.await_running(&vm), node);
        vm
    }

    /// Waits until so many boots of a VM have written, and the last of them goes on writing.
    ///
    /// # Panics
    /// When they have not within half a minute, when there are more, and when two wrote at once.
    #[track_caller]
    pub fn await_boot(&self, vm: &str, count: usize) {
        until(&format!("boot {count} of {vm} to write"), FIRST, || {
            let boots = self.boots(vm);
            assert!(boots.len() <= count, "{vm} booted too often: {boots:?}");
            let goes_on = boots.last().is_some_and(|boot| boot.lines > 2);
            if boots.len() == count && goes_on { Ok(()) } else { Err(format!("{boots:?}")) }
        });
    }

    /// Waits until the last boot of a VM has written so many more lines.
    ///
    /// # Panics
    /// When it has not in time, when another boots, and when two wrote at once.
    #[track_caller]
    pub fn await_lines(&self, vm: &str, count: u32) {
        let last = |boots: &[Boot]| boots.last().map_or((0, 0), |boot| (boots.len(), boot.lines));
        let (boot, before) = last(&self.boots(vm));
        let limit = FIRST + BEAT * count;
        until(&format!("{count} more lines of {vm}"), limit, || {
            let boots = self.boots(vm);
            let (now, lines) = last(&boots);
            assert_eq!(now, boot, "{vm} booted again: {boots:?}");
            if lines >= before + count { Ok(()) } else { Err(format!("{boots:?}")) }
        });
    }

    /// The boots that have written so far, in order.
    ///
    /// # Panics
    /// When two of them wrote at once.
    #[must_use]
    #[track_caller]
    pub fn boots(&self, vm: &str) -> Vec<Boot> {
        self.try_boots(vm).unwrap_or_else(|wrong| panic!("{vm}: {wrong}"))
    }

    /// The boots that have written so far, in order; none while nothing is written.
    ///
    /// # Errors
    /// With the line that shows that two of them wrote at once.
    pub fn try_boots(&self, vm: &str) -> Result<Vec<Boot>, String> {
        boots(&fs::read_to_string(self.record_file(vm)).unwrap_or_default())
    }

    /// Removes the record of a VM that is gone, if there is one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(&self, vm: &str) -> io::Result<()> {
        match fs::remove_file(self.record_file(vm)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn record_file(&self, vm: &str) -> PathBuf {
        self.shared.join(format!("{vm}.log"))
    }
}

/// What a record says.
///
/// # Errors
/// With the line that shows two writers.
pub(super) fn boots(record: &str) -> Result<Vec<Boot>, String> {
    let mut reader = Reader::default();
    // What follows the last end of a line is still being written.
    let whole = record.rsplit_once('\n').map_or("", |(whole, _)| whole);
    for (number, line) in whole.split('\n').enumerate() {
        reader.read(line).map_err(|wrong| format!("line {}: {wrong}", number + 1))?;
    }
    Ok(reader.boots)
}

/// A record as far as it has been read.
#[derive(Default)]
struct Reader {
    boots: Vec<Boot>,
    /// What ends the last boot: the empty line that opens the next, or a line cut short by it.
    closed: bool,
}

impl Reader {
    fn read(&mut self, line: &str) -> Result<(), String> {
        let last = self.boots.last_mut();
        let Some((name, counter)) = parse(line) else {
            let cut_short = last.is_some_and(|boot| boot.next().starts_with(line));
            if !line.is_empty() && (self.closed || !cut_short) {
                return Err(format!("`{line}` is not a line: two wrote at once"));
            }
            self.closed = true;
            return Ok(());
        };
        match last {
            Some(boot) if boot.name == name => {
                if self.closed {
                    return Err(format!("{name} still wrote when another boot had begun"));
                }
                if counter != boot.lines {
                    return Err(format!("{name} wrote {counter} after {} lines", boot.lines));
                }
                boot.lines += 1;
            }
            _ => {
                if self.boots.iter().any(|boot| boot.name == name) {
                    return Err(format!("{name} wrote again when another boot had written"));
                }
                if counter != 0 {
                    return Err(format!("{name} began with {counter}: two wrote at once"));
                }
                self.boots.push(Boot { name: name.to_owned(), lines: 1 });
            }
        }
        self.closed = false;
        Ok(())
    }
}

impl Boot {
    /// The line that it writes next.
    fn next(&self) -> String {
        format!("{} {:08x}", self.name, self.lines)
    }
}

/// The boot and the counter of a whole line.
fn parse(line: &str) -> Option<(&str, u32)> {
    let (name, counter) = line.split_once(' ')?;
    let is_whole = line.len() == LINE && name.len() == 13;
    u32::from_str_radix(counter, 16).ok().filter(|_| is_whole).map(|counter| (name, counter))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "25123456-9f3c";
    const TWO: &str = "25123501-0a1b";

    fn lines(name: &str, counters: std::ops::Range<u32>) -> String {
        counters.map(|counter| format!("{name} {counter:08x}\n")).collect()
    }

    fn booted(record: &str) -> Vec<(String, u32)> {
        boots(record).unwrap().into_iter().map(|boot| (boot.name, boot.lines)).collect()
    }

    fn refuses(record: &str, because: &str) {
        let wrong = boots(record).unwrap_err();
        assert!(wrong.contains(because), "{wrong}");
    }

    #[test]
    fn the_boots_are_told_in_their_order() {
        let record = format!("\n{}\n{}{TWO} 00", lines(ONE, 0..20), lines(TWO, 0..3));
        assert_eq!(booted(&record), [(ONE.to_owned(), 20), (TWO.to_owned(), 3)]);
    }

    #[test]
    fn a_boot_may_be_cut_off_in_the_middle_of_a_line() {
        let record = format!("\n{}{ONE} 0000\n{}", lines(ONE, 0..5), lines(TWO, 0..3));
        assert_eq!(booted(&record), [(ONE.to_owned(), 5), (TWO.to_owned(), 3)]);
    }

    #[test]
    fn nothing_written_is_no_boot() {
        assert!(booted("").is_empty());
        assert!(booted("\n").is_empty());
    }

    #[test]
    fn a_line_of_an_older_boot_shows_two_writers() {
        let record = format!("\n{}\n{}", lines(ONE, 0..5), lines(TWO, 0..2));
        refuses(&(record + &lines(ONE, 5..6)), "wrote again");
    }

    #[test]
    fn a_line_right_after_another_boot_began_shows_two_writers() {
        let record = format!("\n{}\n{}", lines(ONE, 0..5), lines(ONE, 5..6));
        refuses(&record, "still wrote");
    }

    #[test]
    fn lines_that_tear_each_other_show_two_writers() {
        let record = format!("\n{}{ONE} 00{TWO}00005\n", lines(ONE, 0..5));
        refuses(&record, "two wrote at once");
        let torn = format!("\n{}\n{TWO}{ONE} 0\n", lines(ONE, 0..5));
        refuses(&torn, "two wrote at once");
    }

    #[test]
    fn a_counter_that_leaps_shows_a_lost_line() {
        let record = format!("\n{}{}", lines(ONE, 0..5), lines(ONE, 6..7));
        refuses(&record, "wrote 6 after 5 lines");
    }
}
