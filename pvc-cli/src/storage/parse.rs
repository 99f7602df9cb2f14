//! Values that are checked before they are sent, and sent as they were written.

use pvc_common::unit::{BadSize, Bytes};

/// A size, such as `10G`.
pub(super) fn size(text: &str) -> Result<String, BadSize> {
    text.parse::<Bytes>()?;
    Ok(text.to_owned())
}

/// The weight of an OSD.
pub(super) fn weight(text: &str) -> Result<String, String> {
    match text.parse::<f64>() {
        Ok(weight) if weight.is_finite() && weight >= 0.0 => Ok(text.to_owned()),
        Ok(_) | Err(_) => Err("expected a number, such as 1.0".to_owned()),
    }
}

/// A part of a whole, such as `0.05`.
pub(super) fn ratio(text: &str) -> Result<String, String> {
    match text.parse::<f64>() {
        Ok(ratio) if ratio > 0.0 && ratio < 1.0 => Ok(text.to_owned()),
        Ok(_) | Err(_) => Err("expected a number between 0 and 1, such as 0.05".to_owned()),
    }
}

/// How often a pool keeps what it holds.
pub(super) fn replication(text: &str) -> Result<String, String> {
    let counts = text
        .strip_prefix("copies=")
        .and_then(|rest| rest.split_once(",mincopies="))
        .and_then(|(copies, least)| Some((copies.parse().ok()?, least.parse().ok()?)));
    match counts {
        Some((copies, least)) if 1_u32 <= least && least <= copies => Ok(text.to_owned()),
        Some(_) => Err("expected at least one copy, and no more at least than in all".to_owned()),
        None => Err("expected two numbers, as in copies=3,mincopies=2".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_sense_is_sent_as_it_was_written() {
        assert_eq!(size("10GiB").unwrap(), "10GiB");
        assert_eq!(weight("1.0").unwrap(), "1.0");
        assert_eq!(ratio("0.05").unwrap(), "0.05");
        assert_eq!(replication("copies=3,mincopies=2").unwrap(), "copies=3,mincopies=2");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in ["", "heavy", "-1", "inf", "NaN"] {
            assert!(weight(bad).is_err(), "{bad}");
        }
        for bad in ["", "5%", "0", "1", "-0.1", "NaN"] {
            assert!(ratio(bad).is_err(), "{bad}");
        }
        for bad in [
            "3,2",
            "mincopies=2,copies=3",
            "copies=3",
            "copies=2,mincopies=3",
            "copies=1,mincopies=0",
            "copies=a,mincopies=b",
            "copies=3,mincopies=2,x",
        ] {
            assert!(replication(bad).is_err(), "{bad}");
        }
    }
}
