//! How near two pieces of text are.

/// The nearest of `known` to `wanted`, if any is near enough to be meant.
pub(crate) fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(wanted, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate.to_owned())
}

/// English words that stand near a step keyword and begin honest sentences.
const ENGLISH: &[&str] = &[
    "the", "they", "them", "than", "hen", "ten", "men", "even", "give", "gives", "giving", "wheel", "where",
    "whether", "open", "an", "any", "add", "end", "hand", "land", "band", "sand", "bit", "bus", "buy", "put",
    "cut", "nut", "hut", "out", "bug", "buts",
];

/// The step keyword that the first word of a description line was perhaps meant to be.
pub(super) fn meant_keyword(line: &str) -> Option<&'static str> {
    let word = line.split_whitespace().next()?.trim_end_matches([':', ',']);
    let lower = word.to_lowercase();
    if ENGLISH.contains(&lower.as_str()) {
        return None;
    }
    ["Given", "When", "Then", "And", "But"].into_iter().find(|keyword| {
        let distance = strsim::damerau_levenshtein(&lower, &keyword.to_lowercase());
        // A short word is near too many others; it must be the keyword itself.
        if keyword.len() > 3 { distance <= 1 } else { distance == 0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_keywords_are_seen_and_prose_is_not() {
        assert_eq!(meant_keyword("Giben a Partner"), Some("Given"));
        assert_eq!(meant_keyword("Wehn the customer pays"), Some("When"));
        assert_eq!(meant_keyword("given: a Partner"), Some("Given"));
        assert_eq!(meant_keyword("The acquirer must forward it."), None);
        assert_eq!(meant_keyword("An acquirer does"), None);
        assert_eq!(meant_keyword("They agree."), None);
        assert_eq!(meant_keyword(""), None);
    }

    #[test]
    fn the_nearest_is_near() {
        assert_eq!(nearest("AP-1l", ["AP-11", "AP-20"]).as_deref(), Some("AP-11"));
        assert_eq!(nearest("xyz", ["AP-11"]), None);
    }
}
