//! Guessing which key was meant.

/// The candidate most like `word`, if any is like it at all.
pub(super) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let (distance, best) =
        candidates.iter().map(|candidate| (distance(word, candidate), *candidate)).min()?;
    // More than half of the letters wrong is another word, not a slip.
    (distance * 2 <= word.chars().count()).then_some(best)
}

/// How many letters have to be inserted, deleted or replaced to make `a` of `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_word_and_another_word_finds_none() {
        let known = ["keepalive_interval", "fence_intervals", "node"];
        assert_eq!(nearest("keepalive_intervall", &known), Some("keepalive_interval"));
        assert_eq!(nearest("fence_interval", &known), Some("fence_intervals"));
        assert_eq!(nearest("nod", &known), Some("node"));
        assert_eq!(nearest("colour", &known), None);
        assert_eq!(nearest("x", &[]), None);
    }
}
