//! The subject's watchdog, and the directory that all hosts share.

use anyhow::{Context, Result};

use super::Selftest;
use crate::lab::watchdog::{self, State};
use crate::lab::{enter, fault};

/// Opens the watchdog, sets it to `$ARGV[0]` seconds, feeds it for twice that in small bites, and
/// closes it, with the magic letter if `$ARGV[1]` says so. Perl is essential in Debian.
const FEED: &str = r#"
    open(my $dog, ">", "/dev/watchdog") or die "open: $!";
    my $seconds = pack("i", $ARGV[0]);
    ioctl($dog, 0xC0045706, $seconds) or die "set: $!";
    ioctl($dog, 0x80045707, $seconds = pack("i", 0)) or die "get: $!";
    die "it took " . unpack("i", $seconds) unless unpack("i", $seconds) == $ARGV[0];
    for (1 .. 8 * $ARGV[0]) {
        select(undef, undef, undef, 0.25);
        if ($_ % 2) { syswrite($dog, "\0"); } else { ioctl($dog, 0x80045705, $seconds); }
    }
    syswrite($dog, "V") if $ARGV[1] eq "close";
"#;

impl Selftest<'_> {
    /// Feeds the watchdog, then no longer.
    pub(super) fn watchdog(&mut self) {
        let (lab, subject) = (self.lab, self.subject);
        let before = self.boot();
        self.that("a watchdog at rest is idle", self.watchdog_is(State::Idle));
        let fed = self.feeds("close");
        self.that("a watchdog can be set and fed", fed);
        self.that("closed as it should it is idle again", self.watchdog_is(State::Idle));
        let lives = before.and_then(|before| Ok(self.boot()? == before));
        self.that("a fed watchdog lets the host live", lives);
        let before = self.boot();
        let fed = self.feeds("leave");
        self.that("a watchdog can be left", fed);
        self.having("freeze", fault::freeze(lab, subject, true));
        self.that("unfed it resets a host that stands still", self.boots_anew(before));
        self.that("after which it is idle", self.watchdog_is(State::Idle));
    }

    /// Writes in one host and reads in another.
    pub(super) fn shared(&mut self) {
        let file = "/var/lib/pvc-shared/selftest";
        let wrote = self.told(&["sh", "-c", &format!("echo seen >{file}")]);
        self.having("write a shared file", wrote.map(drop));
        let read = enter::output(self.lab, self.witness, ["cat", file]);
        self.that("the hosts share a directory", read.map(|text| text.trim() == "seen"));
        self.having("remove it", self.told(&["rm", file]).map(drop));
    }

    fn feeds(&self, end: &str) -> Result<bool> {
        self.told(&["perl", "-e", FEED, "2", end]).map(|_| true)
    }

    fn watchdog_is(&self, wanted: State) -> Result<bool> {
        let state = watchdog::state(self.lab, self.subject).context("it has none")?;
        Ok(state == wanted)
    }
}
