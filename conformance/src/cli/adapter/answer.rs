//! Answers that somebody has pasted.

use std::io::Read as _;
use std::path::Path;

/// An answer of an acquirer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pasted {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// Reads `STATUS[:FILE]`.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn of_status(text: &str) -> Result<Pasted, String> {
    let (status, file) = match text.split_once(':') {
        Some((status, file)) => (status, Some(file)),
        None => (text, None),
    };
    let status = number(status)
        .ok_or_else(|| format!("--answer: \"{status}\" is no HTTP status, as in 201 or 201:body.json"))?;
    let body = file.map_or_else(|| Ok(Vec::new()), |file| content(Path::new(file)))?;
    Ok(Pasted { status, headers: Vec::new(), body })
}

/// Reads what `curl -i` printed.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn of_file(path: &Path) -> Result<Pasted, String> {
    let bytes = content(path)?;
    of_message(&bytes).ok_or_else(|| {
        format!("--answer-file: {} does not begin with a status line, as \"HTTP/1.1 201 Created\"; `curl -i` prints one", path.display())
    })
}

fn content(path: &Path) -> Result<Vec<u8>, String> {
    let read = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

fn number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|status| (100..=599).contains(status))
}

/// Head and body; of several heads (100 Continue, a proxy's) the last.
fn of_message(bytes: &[u8]) -> Option<Pasted> {
    let (head, body) = parted(bytes);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/")?.split_ascii_whitespace().nth(1).and_then(number)?;
    if body.starts_with(b"HTTP/")
        && let Some(later) = of_message(body)
    {
        return Some(later);
    }
    let pair = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    Some(Pasted { status, headers: lines.filter_map(pair).collect(), body: body.to_vec() })
}

/// What stands before and behind the first empty line.
fn parted(bytes: &[u8]) -> (&[u8], &[u8]) {
    let ends = [b"\r\n\r\n".as_slice(), b"\n\n"];
    let found = ends.iter().filter_map(|end| {
        bytes.windows(end.len()).position(|window| window == *end).map(|at| (at, end.len()))
    });
    match found.min() {
        None => (bytes, &[]),
        Some((at, length)) => {
            let (head, rest) = bytes.split_at(at);
            (head, rest.get(length..).unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_curl_printed_is_read() {
        let read =
            of_message(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/2 201\r\nLocation: /x:y\r\n\r\n{\"a\":\n\n1}")
                .unwrap();
        assert_eq!(read.status, 201);
        assert_eq!(read.headers, [("Location".to_owned(), "/x:y".to_owned())]);
        assert_eq!(read.body, b"{\"a\":\n\n1}");
        let read = of_message(b"HTTP/1.1 204 No Content\nA: b\n").unwrap();
        assert_eq!((read.status, read.body.len()), (204, 0));
        assert_eq!(of_message(b"{}"), None);
        assert!(of_status("2x").unwrap_err().contains("no HTTP status"));
        assert_eq!(of_status("404").unwrap().status, 404);
    }
}
