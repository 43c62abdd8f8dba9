//! A journal's stream, read as server-sent events.

use std::collections::VecDeque;

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use klarna_schemas::simulator::journal::{JournalEntry, StreamEnd};
use serde::Deserialize;

use super::ControlError;

/// What comes to whoever follows a journal.
#[derive(Debug, Clone)]
pub enum Followed {
    /// An entry, as it was written down.
    Entry(Box<JournalEntry>),
    /// So many entries had made room for others before they could be sent.
    Dropped(u64),
    /// As many have come as were asked for, or the time is up: the last that comes.
    End(StreamEnd),
}

/// The data of the event `dropped`.
#[derive(Deserialize)]
struct Dropped {
    dropped: u64,
}

/// One event: its name, if it has one, and its data.
#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    name: String,
    data: String,
}

/// Puts events together from pieces of any size.
#[derive(Debug, Default)]
struct Assembly {
    /// What has come of a line that has not ended.
    line: Vec<u8>,
    event: Event,
}

/// The entries of a stream. It ends when the simulator ends it, and behind the first error.
pub(super) fn entries(
    url: String,
    response: reqwest::Response,
) -> impl Stream<Item = Result<Followed, ControlError>> + Send + use<> {
    let start = (url, Box::pin(response.bytes_stream()), Assembly::default(), VecDeque::new());
    stream::try_unfold(start, async |(url, mut pieces, mut assembly, mut whole)| {
        loop {
            if let Some(event) = whole.pop_front() {
                return match followed(&event) {
                    Ok(followed) => Ok(Some((followed, (url, pieces, assembly, whole)))),
                    Err(error) => Err(ControlError::Unreadable { url, detail: error.to_string() }),
                };
            }
            match pieces.next().await {
                Some(Ok(piece)) => whole.extend(assembly.add(&piece)),
                Some(Err(source)) => return Err(ControlError::Unreachable { url, source }),
                None => return Ok(None),
            }
        }
    })
}

fn followed(event: &Event) -> Result<Followed, serde_json::Error> {
    if event.name == "dropped" {
        return serde_json::from_str(&event.data).map(|Dropped { dropped }| Followed::Dropped(dropped));
    }
    if event.name == "end" {
        return serde_json::from_str(&event.data).map(Followed::End);
    }
    serde_json::from_str(&event.data).map(|entry| Followed::Entry(Box::new(entry)))
}

impl Assembly {
    /// The events that are whole with this piece.
    fn add(&mut self, piece: &Bytes) -> Vec<Event> {
        let mut whole = Vec::new();
        for byte in piece {
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            whole.extend(self.end_line(line.strip_suffix('\r').unwrap_or(&line)));
        }
        whole
    }

    /// Takes a line in; an empty one ends an event. Ids and comments, which keep the connection alive, tell
    /// nothing that an entry does not.
    fn end_line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (!event.data.is_empty()).then_some(event);
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_whole_wherever_the_pieces_end() {
        let text = ":\n\nid: 1\ndata: {\"a\": \"\u{e9}\"}\n\nevent: dropped\r\ndata: {\"dropped\"\r\ndata:: 3}\r\n\r\ndata: cut off";
        let event = |name: &str, data: &str| Event { name: name.to_owned(), data: data.to_owned() };
        let expected = [event("", "{\"a\": \"\u{e9}\"}"), event("dropped", "{\"dropped\"\n: 3}")];
        for size in 1..=text.len() {
            let mut assembly = Assembly::default();
            let pieces = text.as_bytes().chunks(size).map(Bytes::copy_from_slice);
            let whole: Vec<_> = pieces.flat_map(|piece| assembly.add(&piece)).collect();
            assert_eq!(whole, expected, "in pieces of {size}");
        }
        assert!(matches!(followed(&expected[1]), Ok(Followed::Dropped(3))));
    }
}
