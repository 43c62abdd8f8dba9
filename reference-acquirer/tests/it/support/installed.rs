//! Programs of others that `.ci/run` installs, and without which a test cannot be run.

use std::io::Write as _;
use std::path::PathBuf;

/// A program of `target/schemathesis`, the Python environment three folders above this test. `None`
/// where it is not there, which is said aloud (`left_out` was not tested) and, in CI, no excuse.
#[expect(clippy::disallowed_methods, reason = "a test asks how it was started")]
pub(crate) fn installed(name: &str, left_out: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(3).unwrap().join("schemathesis/bin").join(name);
    if program.is_file() {
        return Some(program);
    }
    let missing = format!("{} is missing", program.display());
    assert!(std::env::var_os("CI").is_none(), "{missing}: .ci/run installs it");
    // Past the test harness, which swallows what passing tests print.
    let said = format!("{left_out} NOT tested: {missing}; .ci/run installs it\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap();
    None
}
