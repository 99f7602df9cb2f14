//! What a test does: commands of the client and on hosts.

use std::time::{Duration, Instant};

use super::{COMMAND, Lab, Said, until};

/// How long a person waits for an effect before trying again.
const PATIENCE: Duration = Duration::from_secs(3);

impl Lab {
    /// Runs the client as a person would, who says yes to every question.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    #[track_caller]
    pub fn try_pvc(&self, words: &[&str]) -> Said {
        self.pvc_within(COMMAND, words)
    }

    /// Runs the client and returns what it prints.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn pvc(&self, words: &[&str]) -> String {
        self.try_pvc(words).ok().unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Runs the client, which may take as long as `limit`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    #[track_caller]
    pub fn pvc_within(&self, limit: Duration, words: &[&str]) -> Said {
        let all: Vec<&str> = ["pvc", "--", "--unsafe"].iter().chain(words).copied().collect();
        self.program.run(limit, &all).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Runs the client every few seconds until what it is for is so, as a person would while
    /// parts of the cluster are down.
    ///
    /// # Panics
    /// When it is not within `limit`.
    #[track_caller]
    pub fn insist(&self, words: &[&str], limit: Duration, done: impl Fn(&Self) -> bool) {
        let mut told: Option<(Instant, String)> = None;
        until(&format!("`pvc {}`", words.join(" ")), limit, || {
            if done(self) {
                return Ok(());
            }
            if told.as_ref().is_none_or(|(at, _)| at.elapsed() > PATIENCE) {
                let said = self.pvc_within(Duration::from_secs(15), words);
                told = Some((Instant::now(), said.out + &said.err));
            }
            Err(told.as_ref().map_or_else(String::new, |(_, answer)| answer.clone()))
        });
    }

    /// Runs a command where people's machines are, in the upstream network.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    #[track_caller]
    pub fn client(&self, words: &[&str]) -> Said {
        let all: Vec<&str> = ["client"].iter().chain(words).copied().collect();
        self.program.run(COMMAND, &all).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Runs a command on a host and returns its output.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn on(&self, host: &str, words: &[&str]) -> String {
        self.try_on(host, words).ok().unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Runs a command on a host.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn try_on(&self, host: &str, words: &[&str]) -> Said {
        let all: Vec<&str> = ["exec", host].iter().chain(words).copied().collect();
        self.program.run(COMMAND, &all).unwrap_or_else(|error| panic!("{error:#}"))
    }
}
