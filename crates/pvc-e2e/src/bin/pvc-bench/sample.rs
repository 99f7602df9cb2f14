//! What a series of times says on a machine that has other things to do as well.

use std::time::Duration;

/// The usual and the bad time of a series.
#[derive(Clone, Copy)]
pub(crate) struct Summary {
    /// Half of the series was faster.
    pub(crate) p50: Duration,
    /// 99 % of the series were faster; the slowest, of fewer than a hundred.
    pub(crate) p99: Duration,
}

impl Summary {
    /// Of a series; zero if that is empty.
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
            times.get(index).copied().unwrap_or_default()
        };
        Self { p50: at(50), p99: at(99) }
    }

    /// The least of each, of several series: what others take of the machine only adds.
    pub(crate) fn least(series: impl IntoIterator<Item = Self>) -> Self {
        let least = |a: Self, b: Self| Self { p50: a.p50.min(b.p50), p99: a.p99.min(b.p99) };
        series.into_iter().reduce(least).unwrap_or_else(|| Self::of(Vec::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(times: &[u64]) -> Vec<Duration> {
        times.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn the_usual_and_the_worst_of_a_short_series() {
        let summary = Summary::of(millis(&[9, 1, 2, 3, 4]));
        assert_eq!(vec![summary.p50, summary.p99], millis(&[3, 9]));
    }

    #[test]
    fn a_disturbed_series_does_not_count() {
        let series = [millis(&[5, 6, 7]), millis(&[2, 3, 90])];
        let least = Summary::least(series.map(Summary::of));
        assert_eq!(vec![least.p50, least.p99], millis(&[3, 7]));
    }
}
