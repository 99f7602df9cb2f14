//! A strict reader of Prometheus' text format.

use std::collections::{BTreeMap, BTreeSet};

/// The labels of a sample, unescaped.
pub(crate) type Labels = BTreeMap<String, String>;

/// A metric as a page shows it.
#[derive(Debug, Default)]
pub(crate) struct Family {
    /// The samples, with their numbers as they are written.
    pub(crate) samples: Vec<(Labels, String)>,
}

/// Every metric of a page, by name.
///
/// Fails on whatever Prometheus would refuse or drop: a sample apart from its description, a
/// value that is no number, a text that is not closed, two samples with the same labels.
pub(crate) fn read(page: &str) -> BTreeMap<String, Family> {
    assert!(page.ends_with('\n'), "the last line is not ended");
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut described = "";
    let mut current = "";
    for line in page.strip_suffix('\n').unwrap().split('\n') {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect(line);
            assert!(!help.is_empty() && !help.contains('\\'), "{line}");
            described = name;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert_eq!(rest, format!("{described} gauge"), "HELP and TYPE are of one metric");
            assert!(families.insert(described.to_owned(), Family::default()).is_none(), "{line}");
            current = described;
        } else {
            let (name, labels, number) = sample(line);
            assert_eq!(name, current, "{line}");
            assert!(number.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
            assert!(seen.insert((name.to_owned(), labels.clone())), "twice: {line}");
            families.get_mut(name).unwrap().samples.push((labels, number.to_owned()));
        }
    }
    families
}

fn sample(line: &str) -> (&str, Labels, &str) {
    let end = line.find(['{', ' ']).expect(line);
    let (name, rest) = line.split_at(end);
    let mut labels = Labels::new();
    let Some(mut rest) = rest.strip_prefix('{') else {
        return (name, labels, rest.trim_start());
    };
    loop {
        let (label, text) = rest.split_once("=\"").expect(line);
        let good = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        assert!(!label.is_empty() && label.chars().all(good), "{line}");
        let (value, after) = quoted(text);
        assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
        rest = match after.strip_prefix(',') {
            Some(more) => more,
            None => return (name, labels, after.strip_prefix("} ").expect(line)),
        };
    }
}

/// A text up to its closing quote, and what follows.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match letters.next() {
                Some((_, 'n')) => '\n',
                Some((_, same @ ('\\' | '"'))) => same,
                other => panic!("{other:?} is escaped in {text}"),
            }),
            other => value.push(other),
        }
    }
    panic!("not closed: {text}")
}
