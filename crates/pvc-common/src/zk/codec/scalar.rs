//! Numbers, flags and plain text.

use std::sync::Arc;

use super::{BadText, Text};
use crate::unit::{Mib, Seconds, Vcpus};

/// What says nothing but that it is there: parents, and objects named by their path.
impl Text for () {
    fn encode(&self) -> String {
        String::new()
    }

    /// Whatever else is kept there means nothing.
    fn decode(_: &str) -> Result<Self, BadText> {
        Ok(())
    }
}

/// A text that many readers share.
impl Text for Arc<str> {
    fn encode(&self) -> String {
        self.as_ref().to_owned()
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        Ok(text.into())
    }
}

impl Text for String {
    fn encode(&self) -> String {
        self.clone()
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        Ok(text.to_owned())
    }
}

impl Text for bool {
    fn encode(&self) -> String {
        if *self { "True" } else { "False" }.to_owned()
    }

    /// Upstream's parsers take every form people type, so trees hold them all. Nothing and
    /// `None` are how a flag looks that was never set.
    fn decode(text: &str) -> Result<Self, BadText> {
        match text.to_ascii_lowercase().as_str() {
            "y" | "yes" | "t" | "true" | "on" | "1" => Ok(true),
            "n" | "no" | "f" | "false" | "off" | "0" | "" | "none" => Ok(false),
            _ => Err(BadText(format!("`{text}` is not a flag: expected True or False"))),
        }
    }
}

fn number<T: std::str::FromStr>(text: &str, expected: &str) -> Result<T, BadText> {
    text.trim().parse().map_err(|_| BadText(format!("`{text}` is not {expected}")))
}

impl Text for u32 {
    fn encode(&self) -> String {
        self.to_string()
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        number(text, "a whole number")
    }
}

impl Text for u64 {
    fn encode(&self) -> String {
        self.to_string()
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        number(text, "a whole number")
    }
}

impl Text for f64 {
    /// Two decimals, as load averages are kept.
    fn encode(&self) -> String {
        format!("{self:.2}")
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        let value: Self = number(text, "a number")?;
        if value.is_finite() { Ok(value) } else { Err(BadText(format!("`{text}` is not finite"))) }
    }
}

impl Text for Mib {
    fn encode(&self) -> String {
        self.0.to_string()
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        number(text, "an amount in MiB").map(Self)
    }
}

impl Text for Vcpus {
    fn encode(&self) -> String {
        self.0.to_string()
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        number(text, "a number of processors").map(Self)
    }
}

impl Text for Seconds {
    fn encode(&self) -> String {
        self.to_string()
    }

    fn decode(text: &str) -> Result<Self, BadText> {
        f64::decode(text).map(Self)
    }
}
