//! The known name that somebody may have meant.

/// The closest known name, if it is close enough to be meant.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = name.to_lowercase();
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(name.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        assert_eq!(nearest("netwrok_data", &["amount", "network_data"]), Some("network_data"));
        assert_eq!(nearest("Redirect", &["redirect", "sdk"]), Some("redirect"));
        assert_eq!(nearest("colour", &["amount", "network_data"]), None);
    }
}
