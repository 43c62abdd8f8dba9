//! Where feature text comes from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::embedded::embedded_features;

/// One feature file.
#[derive(Debug, Clone)]
pub struct FeatureFile {
    /// Path as a person would type it; also what `FILE[:LINE]` is compared with.
    pub path: String,
    /// First part of the scenario ids: the path below the features folder, without extension.
    pub stem: String,
    /// Its text.
    pub text: Arc<str>,
}

/// A feature file or folder that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Neither on disk nor embedded.
    #[error("{path}: there is no such feature file or folder{}", nearest.as_ref().map(|n| format!("\n  hint: did you mean {n}?")).unwrap_or_default())]
    Absent {
        /// What was asked for.
        path: String,
        /// The nearest embedded file.
        nearest: Option<String>,
    },
    /// On disk, and not readable as text.
    #[error("{path}: cannot be read: {source}")]
    Unreadable {
        /// What was asked for.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A folder without features.
    #[error("{path}: this folder holds no .feature file")]
    Empty {
        /// What was asked for.
        path: String,
    },
}

impl FeatureFile {
    /// A feature at `path` whose place below the features folder is `below`.
    pub fn new(path: String, below: &str, text: String) -> Self {
        let stem = below.strip_suffix(".feature").unwrap_or(below).replace('\\', "/");
        Self { path, stem, text: text.into() }
    }

    /// Reads files and folders in the order given; the embedded features when none is given.
    ///
    /// A path that is not on disk may name an embedded feature.
    ///
    /// # Errors
    /// The first path that holds nothing readable.
    pub fn load(paths: &[PathBuf]) -> Result<Vec<Self>, SourceError> {
        if paths.is_empty() {
            return Ok(embedded_features());
        }
        let mut files: Vec<Self> = Vec::new();
        for path in paths {
            for file in Self::load_one(path)? {
                if files.iter().all(|known| known.path != file.path) {
                    files.push(file);
                }
            }
        }
        Ok(files)
    }

    fn load_one(path: &Path) -> Result<Vec<Self>, SourceError> {
        let shown = path.display().to_string();
        if path.is_dir() {
            let mut found = Vec::new();
            walk(path, &mut found)
                .map_err(|source| SourceError::Unreadable { path: shown.clone(), source })?;
            found.sort();
            if found.is_empty() {
                return Err(SourceError::Empty { path: shown });
            }
            return found.iter().map(|file| Self::read(file, path)).collect();
        }
        if path.is_file() {
            let parent = path.parent().unwrap_or(Path::new(""));
            return Ok(vec![Self::read(path, parent)?]);
        }
        let wanted = shown.trim_start_matches("./");
        let embedded = embedded_features();
        if let Some(file) = embedded.iter().find(|file| file.path == wanted) {
            return Ok(vec![file.clone()]);
        }
        let nearest = crate::plan::prose::nearest(wanted, embedded.iter().map(|file| file.path.as_str()));
        Err(SourceError::Absent { path: shown, nearest })
    }

    fn read(path: &Path, root: &Path) -> Result<Self, SourceError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| SourceError::Unreadable { path: shown.clone(), source })?;
        let below = below_features(path)
            .unwrap_or_else(|| path.strip_prefix(root).unwrap_or(path).display().to_string());
        Ok(Self::new(shown, &below, text))
    }
}

/// What follows the last folder called `features`, so that an id does not depend on how the file was
/// named on the command line.
fn below_features(path: &Path) -> Option<String> {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let at = parts.iter().rposition(|part| part == "features")?;
    let rest = parts.get(at + 1..)?;
    (!rest.is_empty()).then(|| rest.join("/"))
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "feature") {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_starts_below_the_features_folder() {
        assert_eq!(below_features(Path::new("/x/features/a/b.feature")).unwrap(), "a/b.feature");
        assert_eq!(below_features(Path::new("features/b.feature")).unwrap(), "b.feature");
        assert_eq!(below_features(Path::new("mine/b.feature")), None);
    }

    #[test]
    fn an_unknown_path_names_the_nearest_embedded_one() {
        let error = FeatureFile::load(&["features/the-documnt.feature".into()]).unwrap_err().to_string();
        assert!(error.contains("did you mean features/the-document.feature?"), "{error}");
    }
}
