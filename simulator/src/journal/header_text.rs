//! Header values as text, from which their bytes can be had again.

/// A value as it stands. One that is no UTF-8, or that could be taken for such, is escaped: each byte
/// beyond printable ASCII as `\xNN`, each backslash and quote behind another backslash.
pub(crate) fn text_of(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if !is_escaped(text) => text.to_owned(),
        _ => value.escape_ascii().to_string(),
    }
}

/// The bytes of a value that [`text_of`] has made text.
pub(super) fn bytes_of(text: &str) -> Vec<u8> {
    if !is_escaped(text) {
        return text.as_bytes().to_vec();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let (byte, length) = match (first, behind) {
            (b'\\', [b'x', high, low, ..]) => (hexadecimal(*high, *low).unwrap_or(b'?'), 4),
            (b'\\', [b't', ..]) => (b'\t', 2),
            (b'\\', [escaped, ..]) => (*escaped, 2),
            _ => (*first, 1),
        };
        bytes.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    bytes
}

/// Whether `\xNN` stands in it.
fn is_escaped(text: &str) -> bool {
    text.as_bytes().windows(4).any(|four| match four {
        [b'\\', b'x', high, low] => hexadecimal(*high, *low).is_some(),
        _ => false,
    })
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_any_value_can_be_had_again() {
        let odd: [&[u8]; 7] = [
            b"",
            b"a; \"b\" \\ 'c'",
            b"caf\xe9 \xff\\",
            b"\\xe9",
            b"\\\\xe9\t",
            "\u{e5}\t".as_bytes(),
            b"\\x",
        ];
        for value in odd {
            assert_eq!(bytes_of(&text_of(value)), value, "{}", text_of(value));
        }
        assert_eq!(text_of("\u{e5} \\x \"".as_bytes()), "\u{e5} \\x \"", "what is plain text stays as it is");
        assert_ne!(text_of(b"\xe9"), text_of(b"\\xe9"));
    }
}
