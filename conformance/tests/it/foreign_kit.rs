//! The Python acquirer in a folder of the test's own, with something about it changed.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::suite::root;

/// A copy of the acquirer in Python and of its adapter.
#[derive(Debug)]
pub(crate) struct Changed {
    folder: TempDir,
}

impl Changed {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["acquirer.py", "adapter.yaml"] {
            std::fs::copy(root().join("conformance/tests/foreign").join(name), folder.path().join(name))
                .unwrap();
        }
        // Nothing here is about time: on a busy machine Klarna may take longer than the adapter claims.
        Self { folder }.adapter("KLARNA_TIMEOUT_MS: \"400\"", "KLARNA_TIMEOUT_MS: \"5000\"")
    }

    fn change(self, file: &str, from: &str, to: &str) -> Self {
        let path = self.folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{file} holds once: {from}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        self
    }

    /// With a part of the program replaced, which must be there once.
    pub(crate) fn program(self, from: &str, to: &str) -> Self {
        self.change("acquirer.py", from, to)
    }

    /// With a part of the adapter replaced, which must be there once.
    pub(crate) fn adapter(self, from: &str, to: &str) -> Self {
        self.change("adapter.yaml", from, to)
    }

    /// A file in its folder, from which it is started.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The adapter's path, for `--acquirer`.
    pub(crate) fn path(&self) -> String {
        self.file("adapter.yaml").display().to_string()
    }
}
