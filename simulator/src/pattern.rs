//! Patterns of names: an exact name, or a beginning with a `*` behind it.

/// Whether a name is what a pattern means. A `*` at the end of the pattern matches any rest, also
/// none; anywhere else it is a character like others.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn only_a_star_at_the_end_matches_a_rest() {
        for (pattern, name) in [
            ("authorize", "authorize"),
            ("auth*", "authorize"),
            ("authorize*", "authorize"),
            ("*", "authorize"),
            ("*", ""),
            ("a*b*", "a*bc"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("auth", "authorize"),
            ("authorize", "auth"),
            ("Auth*", "authorize"),
            ("*ize", "authorize"),
            ("a*e", "authorize"),
            ("", "authorize"),
        ] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
