//! `features export`.

use std::path::Path;

use klarna_schemas::catalogue;

use super::output::{complain, say};
use crate::exit_code::Exit;
use crate::plan::{embedded_adapters, embedded_features};

/// Writes features, adapters and schemas, as they stand in the source tree.
pub(super) fn export(directory: &Path) -> Exit {
    let features = embedded_features().into_iter().map(|file| (file.path, file.text.as_bytes().to_vec()));
    let adapters =
        embedded_adapters().into_iter().map(|(name, text)| (format!("adapters/{name}"), text.into_bytes()));
    let schemas = catalogue::files().map(|(name, bytes)| (format!("schemas/{name}"), bytes.into_owned()));
    let mut written = 0;
    for (name, bytes) in features.chain(adapters).chain(schemas) {
        let path = directory.join(&name);
        let made =
            path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, bytes));
        if let Err(error) = made {
            complain(&format!("{} cannot be written: {error}", path.display()));
            return Exit::Broken;
        }
        written += 1;
    }
    say(&format!("{written} files written to {}", directory.display()));
    Exit::Held
}
