//! `reports/failures/<scenario id>/`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Traces;
use crate::redaction::{Redacted, Redactor};

/// The folder below the reports.
const FAILURES: &str = "failures";

/// The longest name of a folder, in bytes; file systems take 255.
const NAME_MAX: usize = 200;

/// The folders of a run.
#[derive(Debug, Clone)]
pub struct Folders {
    root: PathBuf,
}

impl Folders {
    /// The folders below `reports`; those of an earlier run are removed.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn begin(reports: &Path) -> std::io::Result<Self> {
        let root = reports.join(FAILURES);
        match std::fs::remove_dir_all(&root) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(Self { root })
    }

    /// The folder of a scenario.
    pub fn of(&self, scenario: &str) -> PathBuf {
        scenario.split('/').fold(self.root.clone(), |path, part| path.join(name(part)))
    }

    /// Writes what is known of a scenario that did not hold; `finding` is the text that the console shows.
    ///
    /// # Errors
    /// What could not be written, and why.
    pub(crate) fn write(
        &self,
        scenario: &str,
        finding: &str,
        traces: Option<&Traces>,
    ) -> Result<PathBuf, (PathBuf, std::io::Error)> {
        let folder = self.of(scenario);
        let write = |name: &str, texts: &[Redacted]| {
            let path = folder.join(name);
            write_all(&path, texts).map_err(|error| (path, error))
        };
        std::fs::create_dir_all(&folder).map_err(|error| (folder.clone(), error))?;
        let shapes = Redactor::default();
        let redactor = traces.map_or(&shapes, |traces| &traces.redactor);
        write("finding.txt", &[redactor.text(finding.trim_end())])?;
        if let Some(traces) = traces {
            write("journal.ndjson", &traces.journal)?;
            write("exchanges.sh", std::slice::from_ref(&traces.commands))?;
            write("acquirer.log", std::slice::from_ref(&traces.log))?;
        }
        Ok(folder)
    }
}

fn write_all(path: &Path, texts: &[Redacted]) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for text in texts {
        writeln!(file, "{}", text.as_str().trim_end_matches('\n'))?;
    }
    file.flush()
}

/// A part of an id as the name of a folder: nothing that leads elsewhere, and not too long.
fn name(part: &str) -> String {
    let plain = part.replace(['\\', '\0'], "_");
    if matches!(plain.as_str(), "" | "." | "..") {
        return "_".to_owned();
    }
    if plain.len() <= NAME_MAX {
        return plain;
    }
    let end = (0..=NAME_MAX).rev().find(|at| plain.is_char_boundary(*at)).unwrap_or(0);
    let head = plain.get(..end).unwrap_or_default();
    let digest: String = hex::encode(Sha256::digest(plain.as_bytes())).chars().take(8).collect();
    format!("{head}~{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stays_below_the_reports_and_is_not_too_long() {
        let reports = tempfile::tempdir().unwrap();
        let folders = Folders::begin(reports.path()).unwrap();
        let below = folders.root.clone();
        assert_eq!(folders.of("a/b#1"), below.join("a").join("b#1"));
        assert_eq!(folders.of("../x"), below.join("_").join("x"));
        let (one, other) = ("ö".repeat(300), format!("{}x", "ö".repeat(299)));
        assert_ne!(folders.of(&one), folders.of(&other));
        assert!(folders.write(&one, "text", None).unwrap().join("finding.txt").is_file());
        // A new run begins afresh.
        Folders::begin(reports.path()).unwrap();
        assert!(!below.exists());
    }

    #[test]
    fn what_cannot_be_written_is_named() {
        let reports = tempfile::tempdir().unwrap();
        let folders = Folders::begin(reports.path()).unwrap();
        std::fs::write(reports.path().join(FAILURES), "a file stands here").unwrap();
        let (path, _) = folders.write("a/b", "text", None).unwrap_err();
        assert!(path.ends_with("failures/a/b"), "{}", path.display());
    }
}
