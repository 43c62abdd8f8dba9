//! Requests in plain text.

use std::fmt::Write as _;

use crate::adapter::DryRequest;

/// Method, URL, headers and body, as they go over the wire, secrets by name.
pub(super) fn plain(request: &DryRequest) -> String {
    let mut text = format!("{} {}\n", request.method, request.url);
    for (name, value) in &request.headers {
        let _ = writeln!(text, "{name}: {value}");
    }
    if !request.body.is_empty() {
        let _ = writeln!(text, "\n{}", request.body);
    }
    text
}

/// Each line a little further to the right.
pub(super) fn indented(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") };
    text.lines().map(line).collect()
}
