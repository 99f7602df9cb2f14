//! Counting tests: what cargo-nextest and `cargo test` say at their end.

use std::fmt;
use std::ops::AddAssign;

/// How many tests passed, failed and did not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Did what they should.
    pub(super) passed: u64,
    /// Did not, or did not end.
    pub(super) failed: u64,
    /// Could not be run here.
    pub(super) skipped: u64,
}

impl Tally {
    /// A tier that broke before it could count.
    pub(super) const FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };
    /// A tier that cannot run on this machine.
    pub(super) const SKIPPED: Self = Self { passed: 0, failed: 0, skipped: 1 };

    /// Counts what a runner has written to the terminal.
    pub(super) fn of(output: &str) -> Self {
        let summaries = |marker| output.lines().filter_map(move |line| after(line, marker));
        let nextest: Vec<Self> = summaries("Summary [").map(Self::of_nextest).collect();
        // Nextest shows what a failed test has printed, and that has a result of its own.
        let tallies = if nextest.is_empty() {
            summaries("test result: ").map(Self::of_libtest).collect()
        } else {
            nextest
        };
        let mut sum = Self::default();
        tallies.into_iter().for_each(|tally| sum += tally);
        sum
    }

    /// Reads `1.2s] 5 tests run: 3 passed (1 slow), 1 failed, 1 timed out, 2 skipped`.
    fn of_nextest(summary: &str) -> Self {
        let Some((run, outcomes)) = summary.split_once(" run: ") else {
            return Self::default();
        };
        let run = run.split_once("] ").map_or(0, |(_, run)| leading_number(run));
        let passed = number_before(outcomes, " passed");
        let skipped = number_before(outcomes, " skipped");
        // Whatever ran and did not pass failed, whichever way: timed out, aborted, not started.
        Self { passed, failed: run.saturating_sub(passed), skipped }
    }

    /// Reads `ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s`.
    fn of_libtest(summary: &str) -> Self {
        Self {
            passed: number_before(summary, " passed"),
            failed: number_before(summary, " failed"),
            skipped: number_before(summary, " ignored"),
        }
    }
}

/// What follows `marker` on a line that begins with it.
fn after<'a>(line: &'a str, marker: &str) -> Option<&'a str> {
    line.trim_start().strip_prefix(marker)
}

/// The number right before `word`; 0 if there is none.
fn number_before(text: &str, word: &str) -> u64 {
    text.split_once(word)
        .and_then(|(before, _)| before.rsplit([' ', ',', ';', '.']).next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// The number a text begins with, of `3 tests` or `3/10 tests`.
fn leading_number(text: &str) -> u64 {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text[..digits].parse().unwrap_or(0)
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, skipped } = self;
        write!(formatter, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, expected: &str) {
        assert_eq!(Tally::of(output).to_string(), expected);
    }

    #[test]
    fn nextest_is_understood() {
        check(
            "     Summary [   1.204s] 10 tests run: 10 passed (1 slow), 0 skipped\n",
            "10 passed, 0 failed, 0 skipped",
        );
        check(
            "     Summary [   1.204s] 10 tests run: 6 passed, 3 failed, 1 timed out, 2 skipped\n",
            "6 passed, 4 failed, 2 skipped",
        );
    }

    #[test]
    fn a_run_that_was_cancelled_counts_what_it_ran() {
        check(
            "     Summary [   0.010s] 3/10 tests run: 2 passed, 1 failed, 0 skipped\n",
            "2 passed, 1 failed, 0 skipped",
        );
    }

    #[test]
    fn what_a_failed_test_has_printed_is_not_counted_again() {
        check(
            "test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out\n\
             Summary [   0.010s] 5 tests run: 4 passed, 1 failed, 0 skipped\n",
            "4 passed, 1 failed, 0 skipped",
        );
    }

    #[test]
    fn every_binary_of_cargo_test_counts() {
        let line = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n";
        check(&line.repeat(2), "6 passed, 0 failed, 2 skipped");
        check(
            "test result: FAILED. 3 passed; 2 failed; 0 ignored;",
            "3 passed, 2 failed, 0 skipped",
        );
    }
}
