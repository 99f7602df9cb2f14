//! What a guest writes to its console, as it arrives, on whatever host it runs.

use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::Lab;

/// One line of a console.
#[derive(Clone, Debug)]
pub struct Line {
    /// When it arrived.
    pub at: Instant,
    /// Where the guest ran.
    pub host: String,
    /// What it says.
    pub text: String,
}

/// The clocks that the guest `linux` tells: `clock 12.34 rtc 1763695123`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Seconds since it booted, by its own clock.
    pub uptime: f64,
    /// The hardware clock's second.
    pub second: u64,
}

impl Clock {
    /// What a line says; nothing if it is not a whole line of that guest.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let told = match (words.next()?, words.next()?, words.next()?, words.next()?) {
            ("clock", uptime, "rtc", second) => (uptime, second),
            _ => return None,
        };
        let (uptime, second) = told;
        Some(Self { uptime: uptime.parse().ok()?, second: second.parse().ok()? })
    }
}

/// Follows a VM's console on every host.
#[derive(Debug)]
pub struct Console {
    followers: Vec<Child>,
    lines: Receiver<Line>,
    seen: Vec<Line>,
}

impl Console {
    /// Follows what is written from now on.
    ///
    /// # Panics
    /// When a host cannot be followed.
    #[must_use]
    #[track_caller]
    pub fn follow(lab: &Lab, vm: &str) -> Self {
        let (sender, lines) = mpsc::channel();
        let mut followers = Vec::new();
        let file = format!("/var/log/libvirt/{vm}.log");
        for host in lab.hosts() {
            // Should nobody be left to end it, it ends by itself. It polls: of changes on an
            // overlay of file systems the kernel need not tell.
            let tail = ["exec", host, "timeout", "300", "tail", "--sleep-interval=0.05"];
            let words: Vec<&str> =
                tail.iter().chain(&["--lines=0", "-F", &file]).copied().collect();
            let mut follower =
                lab.program.start(&words).unwrap_or_else(|error| panic!("{error:#}"));
            let pipe = follower.stdout.take().expect("its output was asked to be a pipe");
            let (sender, host) = (sender.clone(), host.clone());
            thread::spawn(move || {
                for text in BufReader::new(pipe).lines().map_while(Result::ok) {
                    let line = Line { at: Instant::now(), host: host.clone(), text };
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
            followers.push(follower);
        }
        Self { followers, lines, seen: Vec::new() }
    }

    /// Waits until the guest has written `count` more lines on `host`.
    ///
    /// # Panics
    /// When it has not within two minutes: it may have to boot first.
    #[track_caller]
    pub fn await_lines(&mut self, host: &str, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut missing = count;
        while missing > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("the guest still has to write {missing} lines on {host}");
            };
            missing -= usize::from(line.host == host);
            self.seen.push(line);
        }
    }

    /// Ends it and returns the lines that arrived, in order.
    #[must_use]
    pub fn end(mut self) -> Vec<Line> {
        self.seen.extend(self.lines.try_iter());
        std::mem::take(&mut self.seen)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        for follower in &mut self.followers {
            // One that has ended already need not be killed.
            let _running = follower.kill().is_ok();
            let _ended = follower.wait().is_ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_line_tells_both_clocks() {
        let clock = Clock { uptime: 12.34, second: 1_763_695_123 };
        assert_eq!(Clock::parse("clock 12.34 rtc 1763695123\r"), Some(clock));
    }

    #[test]
    fn half_a_line_tells_nothing() {
        assert_eq!(Clock::parse("clock 12.3"), None);
        assert_eq!(Clock::parse("4 rtc 1763695123"), None);
    }
}
