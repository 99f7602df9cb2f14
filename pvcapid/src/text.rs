//! The ends of large texts.

/// The last `count` lines of a text, without a line feed at the end.
///
/// What is no UTF-8 is shown as far as it is.
pub(crate) fn last_lines(text: &[u8], count: usize) -> String {
    let text = String::from_utf8_lossy(text);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    if count == 0 {
        return String::new();
    }
    let start = text.rmatch_indices('\n').nth(count - 1).map_or(0, |(at, _)| at + 1);
    text[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_text_is_its_last_lines() {
        for (text, count, end) in [
            ("a\nb\nc", 2, "b\nc"),
            ("a\nb\nc\n", 2, "b\nc"),
            ("a\nb", 5, "a\nb"),
            ("a\n\nb", 2, "\nb"),
            ("", 3, ""),
            ("a\nb", 0, ""),
        ] {
            assert_eq!(last_lines(text.as_bytes(), count), end, "{text:?} {count}");
        }
    }
}
