//! Files that an acquirer wants to find when it starts.

use std::path::{Path, PathBuf};

use super::LaunchError;

/// Writes rendered files below the work directory. They may hold keys, so others may not read them.
pub(super) fn write(work_dir: &Path, files: &[(PathBuf, String)]) -> Result<(), LaunchError> {
    for (path, content) in files {
        let path = work_dir.join(path);
        let failed = |error: std::io::Error| LaunchError::File {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed)?;
        std::io::Write::write_all(&mut file, content.as_bytes()).map_err(failed)?;
    }
    Ok(())
}
