//! How busy the network devices are: rates over the last samples.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// What a device has counted since it exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes received.
    pub rx_bytes: u64,
    /// Packets received.
    pub rx_packets: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
}

/// What is known of a device beside its counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkInfo {
    /// Speed in bits per second; 0 if it is not known.
    pub speed_bps: u64,
    /// The kernel's word for its state, such as `up`.
    pub state: String,
}

/// Means over the whole window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Bits received per second.
    pub rx_bps: u64,
    /// Packets received per second.
    pub rx_pps: u64,
    /// Bits sent per second.
    pub tx_bps: u64,
    /// Packets sent per second.
    pub tx_pps: u64,
}

/// The samples of the last while, by device.
#[derive(Clone, Debug)]
pub struct Traffic {
    window: Duration,
    samples: BTreeMap<String, VecDeque<(Instant, Counters)>>,
}

impl Traffic {
    /// Keeps samples of the last `window`.
    #[must_use]
    pub const fn new(window: Duration) -> Self {
        Self { window, samples: BTreeMap::new() }
    }

    /// Takes a sample of every device. Devices that are not among them any more are forgotten.
    pub fn sample(&mut self, now: Instant, counters: BTreeMap<String, Counters>) {
        self.samples.retain(|device, _| counters.contains_key(device));
        for (device, counters) in counters {
            let samples = self.samples.entry(device).or_default();
            // A device made anew under the same name counts from zero.
            if samples.back().is_some_and(|(_, last)| last.rx_bytes > counters.rx_bytes) {
                samples.clear();
            }
            samples.push_back((now, counters));
            // The oldest sample kept is the last one that is at least a window old.
            while samples.get(1).is_some_and(|(at, _)| now - *at >= self.window) {
                samples.pop_front();
            }
        }
    }

    /// The rates of every device that was sampled for a whole window.
    #[must_use]
    pub fn rates(&self) -> BTreeMap<String, Rates> {
        let whole = |samples: &VecDeque<(Instant, Counters)>| {
            let ((began, first), (ended, last)) = (samples.front()?, samples.back()?);
            let time = *ended - *began;
            (time >= self.window).then(|| rates(time, *first, *last))
        };
        let devices = self.samples.iter();
        devices.filter_map(|(device, samples)| Some((device.clone(), whole(samples)?))).collect()
    }
}

fn rates(time: Duration, first: Counters, last: Counters) -> Rates {
    let micros = time.as_micros().max(1);
    let per_second = |first: u64, last: u64, factor: u128| {
        let amount = u128::from(last.saturating_sub(first)) * factor;
        u64::try_from(amount * 1_000_000 / micros).unwrap_or(u64::MAX)
    };
    Rates {
        rx_bps: per_second(first.rx_bytes, last.rx_bytes, 8),
        rx_pps: per_second(first.rx_packets, last.rx_packets, 1),
        tx_bps: per_second(first.tx_bytes, last.tx_bytes, 8),
        tx_pps: per_second(first.tx_packets, last.tx_packets, 1),
    }
}

/// Understands `/proc/net/dev`. Lines that are no device's are left out.
#[must_use]
pub fn parse_counters(net_dev: &str) -> BTreeMap<String, Counters> {
    let device = |line: &str| {
        let (name, figures) = line.split_once(':')?;
        let figures: Vec<u64> =
            figures.split_ascii_whitespace().map_while(|figure| figure.parse().ok()).collect();
        let counters = Counters {
            rx_bytes: *figures.first()?,
            rx_packets: *figures.get(1)?,
            tx_bytes: *figures.get(8)?,
            tx_packets: *figures.get(9)?,
        };
        Some((name.trim().to_owned(), counters))
    };
    net_dev.lines().filter_map(device).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NET_DEV: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1000      10    0    0    0     0          0         0     1000      10    0    0    0     0       0          0
  ens4: 123456789  4567  0    0    0     0          0         0 987654321    7654    0    0    0     0       0          0
";

    #[test]
    fn the_kernels_table_is_understood() {
        let counters = parse_counters(NET_DEV);
        assert_eq!(counters.len(), 2);
        assert_eq!(
            counters["ens4"],
            Counters {
                rx_bytes: 123_456_789,
                rx_packets: 4_567,
                tx_bytes: 987_654_321,
                tx_packets: 7_654
            }
        );
    }

    /// `ens4` after receiving `kilobytes` kB in `packets` packets.
    fn at(kilobytes: u64, packets: u64) -> BTreeMap<String, Counters> {
        let counters =
            Counters { rx_bytes: kilobytes * 1_000, rx_packets: packets, ..Counters::default() };
        BTreeMap::from([("ens4".to_owned(), counters)])
    }

    #[test]
    fn rates_are_means_over_the_window_in_bits_and_packets() {
        let (mut traffic, start) = (Traffic::new(Duration::from_secs(5)), Instant::now());
        for second in 0..=4 {
            traffic.sample(start + Duration::from_secs(second), at(second * 10, second * 7));
            assert!(traffic.rates().is_empty(), "no whole window after {second} s");
        }
        traffic.sample(start + Duration::from_secs(5), at(50, 35));
        let rates = traffic.rates()["ens4"];
        assert_eq!((rates.rx_bps, rates.rx_pps, rates.tx_bps), (80_000, 7, 0));
        for second in 6..=60 {
            traffic.sample(start + Duration::from_secs(second), at(50, 35));
        }
        assert_eq!(traffic.rates()["ens4"], Rates::default());
        assert!(traffic.samples["ens4"].len() <= 7);
    }

    #[test]
    fn a_device_made_anew_begins_anew() {
        let (mut traffic, start) = (Traffic::new(Duration::from_secs(1)), Instant::now());
        traffic.sample(start, at(1_000, 10));
        traffic.sample(start + Duration::from_secs(2), at(1, 1));
        assert!(traffic.rates().is_empty());
        traffic.sample(start + Duration::from_secs(3), BTreeMap::new());
        assert!(traffic.samples.is_empty());
    }
}
