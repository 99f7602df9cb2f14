//! Units: arithmetic that cannot mix memory with processors.

mod bytes;
mod weight;

pub use bytes::{BadSize, Bytes};
pub use weight::{BadFraction, Ratio, Weight};

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};

/// An amount of memory in mebibytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mib(pub u64);

impl Mib {
    /// From kibibytes, rounded down as libvirt's own tools do.
    #[must_use]
    pub const fn from_kib(kib: u64) -> Self {
        Self(kib / 1024)
    }
}

/// Why an amount of memory cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAmount {
    /// Libvirt has no such unit.
    #[error("has the unknown unit `{0}`")]
    UnknownUnit(String),
    /// It would not fit in any machine.
    #[error("holds more than any machine has")]
    TooMuch,
}

impl Mib {
    /// An amount in one of libvirt's units, rounded down.
    ///
    /// Without a unit it is MiB: so PVC has always read it, unlike libvirt, whose default is KiB.
    ///
    /// # Errors
    /// For a unit that libvirt does not know, or for more than any machine has.
    pub fn of_libvirt(amount: u64, unit: Option<&str>) -> Result<Self, BadAmount> {
        let unit_bytes: u128 = match unit.unwrap_or("MiB") {
            "b" | "bytes" => 1,
            "KB" => 1000,
            "k" | "K" | "KiB" => 1 << 10,
            "MB" => 1_000_000,
            "m" | "M" | "MiB" => 1 << 20,
            "GB" => 1_000_000_000,
            "g" | "G" | "GiB" => 1 << 30,
            "TB" => 1_000_000_000_000,
            "t" | "T" | "TiB" => 1 << 40,
            unknown => return Err(BadAmount::UnknownUnit(unknown.to_owned())),
        };
        u64::try_from((u128::from(amount) * unit_bytes) >> 20)
            .map(Self)
            .map_err(|_| BadAmount::TooMuch)
    }
}

impl Add for Mib {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Mib {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Mib {
    type Output = Self;

    /// Never below zero: a figure that is stale by one interval must not wrap around.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Mib {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self(0), Add::add)
    }
}

impl fmt::Display for Mib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A number of virtual processors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vcpus(pub u32);

impl Add for Vcpus {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Vcpus {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self(0), Add::add)
    }
}

impl fmt::Display for Vcpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A time or a duration in seconds with a fraction, as other programs keep it.
///
/// What it is counted from, the key says that holds it; the clock is the writer's.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Seconds(pub f64);

impl fmt::Display for Seconds {
    /// Always with a fraction, and no digit more than it takes to read the same number back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
