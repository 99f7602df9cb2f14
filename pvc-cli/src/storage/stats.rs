//! Statistics as Ceph tells them: numbers, texts, or nothing while there is nothing to tell.

use serde_json::{Map, Value};

use crate::paint::Colour;
use crate::show::{Cell, bytes, count, kib};

/// What the node daemon writes for an OSD that Ceph has not told of yet.
const UNTOLD: &str = "|";

/// The statistics of one thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stats<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Stats<'a> {
    fn get(self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null() && *value != UNTOLD)
    }

    fn number(self, key: &str) -> Option<f64> {
        number(self.get(key)?)
    }

    /// A value as it is.
    pub(super) fn plain(self, key: &str) -> Cell {
        or_na(self.get(key).map(text))
    }

    /// Several values, separated by commas.
    pub(super) fn list(self, key: &str) -> Cell {
        let list = self.get(key).and_then(Value::as_array);
        or_na(list.map(|values| values.iter().map(text).collect::<Vec<_>>().join(",")))
    }

    /// A number with four decimal places at most.
    pub(super) fn decimal(self, key: &str) -> Cell {
        or_na(self.number(key).map(|number| {
            let text = format!("{number:.4}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }))
    }

    /// A part of `whole` as a percentage.
    pub(super) fn percentage(self, key: &str, whole: f64) -> Cell {
        or_na(self.number(key).map(|number| format!("{:.2}", number / whole * 100.0)))
    }

    /// A count in units of 1000.
    pub(super) fn count(self, key: &str) -> Cell {
        self.whole(key, count)
    }

    /// An amount of bytes in units of 1024.
    pub(super) fn bytes(self, key: &str) -> Cell {
        self.whole(key, bytes)
    }

    /// An amount of KiB in units of 1024.
    pub(super) fn kib(self, key: &str) -> Cell {
        self.whole(key, kib)
    }

    /// Numbers in units; what Ceph has put into units itself, as it is.
    fn whole(self, key: &str, show: fn(u64) -> String) -> Cell {
        or_na(self.get(key).map(|value| value.as_u64().map_or_else(|| text(value), show)))
    }

    /// Whether something is the case, which is good.
    pub(super) fn good(self, key: &str) -> Cell {
        // An OSD that Ceph has not told of yet is down and out there, and has a bar for all else.
        let told = self.0.get("uuid").is_none_or(|uuid| *uuid != UNTOLD);
        match self.number(key).filter(|_| told) {
            Some(0.0) => Cell::coloured(Colour::Red, "no"),
            Some(_) => Cell::coloured(Colour::Green, "yes"),
            None => or_na(None),
        }
    }
}

/// A number, also one that is written as a text.
pub(super) fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn or_na(text: Option<String>) -> Cell {
    Cell::or_na(&text.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paint::Paint;
    use serde_json::json;

    fn shown(value: Value, show: impl Fn(Stats<'_>, &str) -> Cell) -> String {
        let mut map = Map::new();
        map.insert("x".to_owned(), value);
        show(Stats(&map), "x").render(Paint::new(false))
    }

    #[test]
    fn a_figure_that_is_not_known_yet_is_no_failure() {
        for value in [json!("|"), json!(null), json!("")] {
            assert_eq!(shown(value.clone(), |it, key| it.plain(key)), "N/A");
            assert_eq!(shown(value.clone(), |it, key| it.kib(key)), "N/A");
            assert_eq!(shown(value.clone(), |it, key| it.decimal(key)), "N/A");
            assert_eq!(shown(value.clone(), |it, key| it.list(key)), "N/A");
            assert_eq!(shown(value, |it, key| it.good(key)), "N/A");
        }
        assert_eq!(Stats(&Map::new()).plain("x"), Cell::plain("N/A"));
    }

    #[test]
    fn a_figure_is_shown_whether_it_is_a_number_or_a_text() {
        assert_eq!(shown(json!(1_048_576), |it, key| it.kib(key)), "1.0 GiB");
        assert_eq!(shown(json!("28.4G"), |it, key| it.kib(key)), "28.4G");
        assert_eq!(shown(json!(0.097_600_000_1), |it, key| it.decimal(key)), "0.0976");
        assert_eq!(shown(json!("1.0"), |it, key| it.decimal(key)), "1");
        assert_eq!(shown(json!(12_345), |it, key| it.count(key)), "13K");
        assert_eq!(
            shown(json!(["layering", "fast-diff"]), |it, key| it.list(key)),
            "layering,fast-diff"
        );
        assert_eq!(shown(json!(0.1234), |it, key| it.percentage(key, 1.0)), "12.34");
        assert_eq!(shown(json!(0), |it, key| it.good(key)), "no");
        assert_eq!(shown(json!(1), |it, key| it.good(key)), "yes");
    }
}
