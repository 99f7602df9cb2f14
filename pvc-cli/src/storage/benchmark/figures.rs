//! What one test of a benchmark found, whatever the shape of the result.
//!
//! Format 0 is of upstream's own making; since format 1 a test holds what `fio` writes, and since
//! format 2 also how busy the node was.

use serde_json::Value;

use crate::show::bytes;
use crate::storage::stats::number;

/// What a test found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures<'a> {
    /// What `fio` says of the direction that was measured, if it was `fio`.
    measured: Option<&'a Value>,
    test: &'a Value,
}

impl<'a> Figures<'a> {
    /// What the test of this name found.
    pub(super) fn new(name: &str, test: &'a Value) -> Self {
        let direction = if name.contains("write") { "write" } else { "read" };
        Self { measured: test.pointer(&format!("/jobs/0/{direction}")), test }
    }

    fn number(self, place: &str) -> Option<f64> {
        number(self.test.pointer(place)?)
    }

    fn measured(self, place: &str) -> Option<f64> {
        number(self.measured?.pointer(place)?)
    }

    /// Bytes per second.
    pub(super) fn bandwidth(self) -> Option<String> {
        let kib = self.measured("/bw").or_else(|| self.number("/overall/bandwidth"));
        self.measured("/bw_bytes").or_else(|| Some(kib? * 1024.0)).map(size)
    }

    /// Operations per second.
    pub(super) fn iops(self) -> Option<String> {
        let iops = self.measured("/iops").or_else(|| self.number("/overall/iops"));
        iops.map(|iops| format!("{iops:.0}"))
    }

    /// The mean time that an operation took, in microseconds.
    pub(super) fn latency(self) -> Option<String> {
        let since_1 = self.measured("/lat_ns/mean").map(|ns| ns / 1000.0);
        since_1.or_else(|| self.number("/latency/avg")).map(|us| format!("{us:.1}"))
    }

    /// How busy the node's processors were, in percent.
    pub(super) fn cpu(self) -> Option<String> {
        self.number("/avg_cpu_util_percent/total").map(|percent| format!("{percent:.1}"))
    }

    /// How full the node's memory was, in percent.
    pub(super) fn memory(self) -> Option<String> {
        self.number("/avg_memory_util_percent/total").map(|percent| format!("{percent:.1}"))
    }

    /// What went over the node's network, in bits per second.
    pub(super) fn network(self) -> Option<String> {
        self.number("/avg_network_util_bps/total").map(|bits| format!("{:.1}", bits / 1e6))
    }
}

fn size(amount: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast saturates, and no storage comes near its ends"
    )]
    let whole = amount as u64;
    bytes(whole)
}
