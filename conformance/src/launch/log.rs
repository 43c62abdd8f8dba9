//! What the acquirer writes: its last lines in memory, all of it in a file.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::LaunchError;
use crate::redaction::without_shapes;

/// Lines kept in memory.
const LINES: usize = 2_000;
/// Bytes kept of one line.
const LINE_LENGTH: usize = 16 * 1024;

/// The output of an acquirer. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Log {
    kept: Arc<Mutex<Kept>>,
    secrets: Arc<Vec<SecretString>>,
    /// Who writes, before each line, where there are several.
    writer: Option<Arc<str>>,
}

#[derive(Debug)]
struct Kept {
    lines: VecDeque<String>,
    /// Lines that were ever kept.
    written: u64,
    file: Option<File>,
}

impl Log {
    /// A log that is also written to `file`, from its beginning.
    pub(super) fn new(file: Option<&Path>, secrets: Vec<SecretString>) -> Result<Self, LaunchError> {
        let open = |path: &Path| {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            File::create(path)
        };
        let file = match file.map(|path| (path, open(path))) {
            None => None,
            Some((_, Ok(file))) => Some(file),
            Some((path, Err(error))) => {
                return Err(LaunchError::File {
                    path: path.display().to_string(),
                    reason: error.to_string(),
                });
            }
        };
        let kept = Kept { lines: VecDeque::new(), written: 0, file };
        Ok(Self { kept: Arc::new(Mutex::new(kept)), secrets: Arc::new(secrets), writer: None })
    }

    /// The same log, for one of several that write into it.
    pub(super) fn named(&self, writer: &str) -> Self {
        Self { writer: Some(writer.into()), ..self.clone() }
    }

    /// Keeps one line, secrets blackened.
    pub(super) fn keep(&self, line: &str) {
        let mut line = without_shapes(line);
        for secret in self.secrets.iter() {
            if line.contains(secret.expose_secret()) {
                line = line.replace(secret.expose_secret(), "[REDACTED]");
            }
        }
        if let Some(writer) = &self.writer {
            line = format!("{writer}: {line}");
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &mut kept.file
            && writeln!(file, "{line}").is_err()
        {
            // A full disk must not end the run; the last lines stay in memory.
            kept.file = None;
        }
        kept.written += 1;
        kept.lines.push_back(line);
        if kept.lines.len() > LINES {
            kept.lines.pop_front();
        }
    }

    /// The last lines.
    pub(super) fn tail(&self, lines: usize) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let skipped = kept.lines.len().saturating_sub(lines);
        kept.lines.iter().skip(skipped).cloned().collect::<Vec<_>>().join("\n")
    }

    /// How many lines were ever kept.
    pub(super) fn written(&self) -> u64 {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).written
    }

    /// The lines that followed the first `mark`, the last ones that fit into `bytes`. What does not
    /// fit, or was too long ago, is counted in a line before them.
    pub(super) fn since(&self, mark: u64, bytes: usize) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = usize::try_from(kept.written.saturating_sub(mark)).unwrap_or(usize::MAX);
        let mut room = bytes;
        let mut lines: Vec<&str> = Vec::new();
        for line in kept.lines.iter().rev().take(wanted) {
            let Some(left) = room.checked_sub(line.len() + 1) else { break };
            room = left;
            lines.push(line);
        }
        let missing = wanted - lines.len();
        let mut text = if missing == 0 {
            String::new()
        } else {
            format!("… {missing} earlier lines are only in the log of the whole run\n")
        };
        for line in lines.into_iter().rev() {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Values that are not kept.
    pub(super) fn secrets(&self) -> &[SecretString] {
        &self.secrets
    }

    /// Keeps every line of a stream until it ends.
    pub(super) async fn follow(self, mut stream: impl AsyncBufRead + Unpin) {
        while let Some(line) = next_line(&mut stream).await {
            self.keep(&line);
        }
    }
}

/// The next line, without its end; what is beyond [`LINE_LENGTH`] is thrown away. `None` at the end
/// of the stream.
pub(super) async fn next_line(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    let mut began = false;
    loop {
        let chunk = match stream.fill_buf().await {
            Ok(chunk) if !chunk.is_empty() => chunk,
            // An unreadable stream tells nothing more, like one that ended.
            _ => break,
        };
        began = true;
        let (part, consumed, ended) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(end) => (chunk.get(..end).unwrap_or_default(), end + 1, true),
            None => (chunk, chunk.len(), false),
        };
        let room = LINE_LENGTH.saturating_sub(line.len()).min(part.len());
        line.extend_from_slice(part.get(..room).unwrap_or_default());
        stream.consume(consumed);
        if ended {
            break;
        }
    }
    let text = String::from_utf8_lossy(&line);
    began.then(|| text.trim_end_matches('\r').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_kept_in_bounds_and_without_secrets() {
        let log = Log::new(None, vec![SecretString::from("hunter22")]).unwrap();
        let overlong = "x".repeat(LINE_LENGTH * 2);
        let text = format!("one\r\ntwo hunter22 three\n{overlong}\n\u{e9}nd");
        log.clone().follow(tokio::io::BufReader::new(text.as_bytes())).await;
        let tail = log.tail(10);
        let lines: Vec<&str> = tail.lines().collect();
        assert_eq!((lines[0], lines[1], lines[3]), ("one", "two [REDACTED] three", "énd"));
        assert_eq!(lines[2].len(), LINE_LENGTH);
        assert_eq!(log.tail(1), "énd");
        let mark = log.written();
        log.keep("with klarna_test_api_x");
        log.keep("last");
        assert_eq!(log.since(mark, 1000), "with [REDACTED]\nlast\n");
        assert_eq!(log.since(mark, 5), "… 1 earlier lines are only in the log of the whole run\nlast\n");
        assert_eq!(log.since(mark + 2, 1000), "");
        (0..LINES + 5).for_each(|n| log.keep(&n.to_string()));
        assert_eq!(log.tail(usize::MAX).lines().next(), Some("5"));
    }
}
