//! Writes the model while the run goes on.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::event::{Event, Line, MODEL_VERSION};

/// Reads the model while it is written.
pub trait Listener {
    /// Takes the next event.
    fn hear(&mut self, event: &Event);
}

/// The one writer of a run's model.
pub struct ModelWriter {
    file: BufWriter<File>,
    listeners: Vec<Box<dyn Listener>>,
    events: Vec<Event>,
    path: PathBuf,
    failed: Option<(PathBuf, std::io::Error)>,
}

impl std::fmt::Debug for ModelWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelWriter").field("events", &self.events.len()).finish_non_exhaustive()
    }
}

impl ModelWriter {
    /// Begins the model at `path`, replacing what was there.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create(path: &Path, listeners: Vec<Box<dyn Listener>>) -> std::io::Result<Self> {
        Ok(Self {
            file: BufWriter::new(File::create(path)?),
            listeners,
            events: Vec::new(),
            path: path.to_path_buf(),
            failed: None,
        })
    }

    /// Writes an event and tells the listeners. What cannot be written is said by [`Self::finish`].
    pub fn write(&mut self, event: Event) {
        let line = Line { model: MODEL_VERSION, event };
        if let Err(error) = self.write_line(&line) {
            let path = self.path.clone();
            self.failed(path, error);
        }
        for listener in &mut self.listeners {
            listener.hear(&line.event);
        }
        self.events.push(line.event);
    }

    /// Notes that a file of the run could not be written; the first one is said by [`Self::finish`].
    pub fn failed(&mut self, path: PathBuf, error: std::io::Error) {
        self.failed.get_or_insert((path, error));
    }

    fn write_line(&mut self, line: &Line) -> std::io::Result<()> {
        serde_json::to_writer(&mut self.file, line)?;
        self.file.write_all(b"\n")?;
        // A run that is cut off has left all it knew.
        self.file.flush()
    }

    /// Everything written so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Ends the model: its events, and the first file of the run that could not be written.
    pub fn finish(self) -> (Vec<Event>, Option<(PathBuf, std::io::Error)>) {
        (self.events, self.failed)
    }
}
