//! Text with `{{names}}` to fill in.

/// Replaces every `{{name}}` by its value.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_a_name_is_filled() {
        let filled = fill("{{a}}-{{b}}-{{a}}", &[("a", "1"), ("b", "2")]);
        assert_eq!(filled, "1-2-1");
    }
}
