//! A series of pings that somebody sends while the primary changes.

use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use pvc_e2e::lab::Program;

/// Five seconds at 25 ms: longer than a switch may take.
const PINGS: usize = 200;
/// Answers before the switch: the neighbours know each other, and the machine is at its pace.
const WARM: usize = 10;
/// How long the first answers may take.
const LIMIT: Duration = Duration::from_secs(10);

/// A running series.
pub(super) struct Ping {
    child: Child,
    address: &'static str,
    warm: Receiver<()>,
    answers: JoinHandle<usize>,
}

impl Ping {
    /// Begins to send, at a place as `cargo xtask lab` names it.
    pub(super) fn start(program: &Program, place: &[&str], address: &'static str) -> Result<Self> {
        let pings = PINGS.to_string();
        let mut words = place.to_vec();
        words.extend(["ping", "-n", "-i", "0.025", "-W", "1", "-c", &pings, address]);
        let mut child = program.start(&words)?;
        let output = child.stdout.take().context("the output was asked for")?;
        let (tell, warm) = sync_channel(1);
        let answers = std::thread::spawn(move || {
            let mut answers = 0;
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                answers += usize::from(is_answer(&line));
                if answers == WARM && tell.try_send(()).is_err() {
                    break;
                }
            }
            answers
        });
        Ok(Self { child, address, warm, answers })
    }

    /// Waits until the first pings are answered.
    pub(super) fn warm(&mut self) -> Result<()> {
        let waited = self.warm.recv_timeout(LIMIT);
        waited.with_context(|| format!("{} does not answer", self.address))
    }

    /// Waits for the end of the series, and returns how many got no answer.
    pub(super) fn lost(mut self) -> Result<usize> {
        let answers = self.answers.join().map_err(|_| anyhow!("the answers were not counted"))?;
        self.child.wait().context("ping does not end")?;
        ensure!(answers <= PINGS, "{} answered {answers} of {PINGS} pings", self.address);
        Ok(PINGS - answers)
    }
}

/// Whether a line of ping's tells of an answer; one that came twice counts once.
fn is_answer(line: &str) -> bool {
    line.contains("icmp_seq=") && line.contains(" time=") && !line.contains("DUP!")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_are_counted() {
        for (line, counts) in [
            ("64 bytes from 10.0.0.1: icmp_seq=7 ttl=64 time=0.031 ms", true),
            ("64 bytes from 10.0.0.1: icmp_seq=7 ttl=64 time=0.045 ms (DUP!)", false),
            ("From 10.0.0.2 icmp_seq=8 Destination Host Unreachable", false),
            ("From 10.0.0.2: icmp_seq=8 Redirect Host(New nexthop: 10.0.0.1)", false),
            ("PING 10.0.0.1 (10.0.0.1) 56(84) bytes of data.", false),
        ] {
            assert_eq!(is_answer(line), counts, "{line}");
        }
    }
}
