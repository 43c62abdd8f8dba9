//! Reports that cannot be written, a full disk, readers who go away: said, and no panic.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use tempfile::TempDir;

use crate::foreign_kit::Changed;
use crate::suite::command;

const SOME: [&str; 2] = ["--tags", "@AP-17 and @document"];

/// Reads one line of what the program prints, goes away, and sees how it ends.
fn read_one_line_of(args: &[&str]) -> (Option<i32>, String, TempDir) {
    let folder = TempDir::new().unwrap();
    let mut child =
        command(folder.path(), args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.is_empty());
    let mut complaints = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
    (child.wait().unwrap().code(), complaints, folder)
}

#[test]
fn a_reader_who_goes_away_takes_nothing_from_the_run() {
    let (code, complaints, folder) = read_one_line_of(&SOME);
    assert_eq!(code, Some(0), "{complaints}");
    assert!(!complaints.contains("panicked"), "{complaints}");
    assert!(folder.path().join("reports/junit.xml").exists());
    for args in [&["steps"][..], &["--help"], &["--list-defects"]] {
        let (code, complaints, _) = read_one_line_of(args);
        assert_eq!(code, Some(0), "{args:?}: {complaints}");
        assert!(!complaints.contains("panicked"), "{args:?}: {complaints}");
    }
}

#[cfg(target_os = "linux")]
mod on_linux {
    use super::*;

    fn ran(folder: &TempDir, args: &[&str]) -> (Option<i32>, String) {
        let output = command(folder.path(), &[&SOME[..], args].concat()).output().unwrap();
        let complaints = String::from_utf8(output.stderr).unwrap();
        assert!(!complaints.contains("panicked"), "{complaints}");
        (output.status.code(), complaints)
    }

    /// Nobody, root included, makes a folder in `/proc`.
    #[test]
    fn a_folder_that_nobody_can_write_to_is_named() {
        let (code, complaints) = ran(&TempDir::new().unwrap(), &["--reports", "/proc/reports"]);
        assert_eq!(code, Some(6), "{complaints}");
        assert!(complaints.contains("the reports cannot be written to /proc/reports"), "{complaints}");
    }

    /// A file on a disk that is full.
    fn full(folder: &TempDir, name: &str) {
        let reports = folder.path().join("reports");
        std::fs::create_dir_all(&reports).unwrap();
        std::os::unix::fs::symlink("/dev/full", reports.join(name)).unwrap();
    }

    #[test]
    fn a_full_disk_is_told_by_the_file_that_it_cost() {
        for name in ["run.ndjson", "junit.xml"] {
            let folder = TempDir::new().unwrap();
            full(&folder, name);
            let (code, complaints) = ran(&folder, &[]);
            assert_eq!(code, Some(6), "{name}: {complaints}");
            assert!(complaints.contains(&format!("{name} cannot be written: No space left")), "{complaints}");
            let other = if name == "junit.xml" { "run.ndjson" } else { "junit.xml" };
            let written = std::fs::read_to_string(folder.path().join("reports").join(other)).unwrap();
            assert!(written.contains("the-document"), "{other} was left out with {name}");
        }
    }

    #[test]
    fn the_acquirers_log_is_not_worth_a_run() {
        let folder = TempDir::new().unwrap();
        full(&folder, "acquirer.log");
        let (code, complaints) = ran(&folder, &[]);
        assert_eq!(code, Some(0), "{complaints}");
    }
}

/// The acquirer puts a file where the traces of failures are to be written.
#[test]
fn traces_that_cannot_be_written_break_the_run() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("reports/failures");
    let acquirer = Changed::new()
        .adapter("PYTHONDONTWRITEBYTECODE: \"1\"", &format!("BLOCK: {}", file.display()))
        .program(
            "    register()\n    log(",
            "    open(os.environ[\"BLOCK\"], \"w\").close()\n    register()\n    log(",
        )
        .program(
            "CODES = {\"APPROVED\": \"Authorised\", \"DECLINED\": \"Refused\"",
            "CODES = {\"APPROVED\": \"Authorised\", \"DECLINED\": \"Authorised\"",
        );
    let output =
        command(folder.path(), &[&SOME[..], &["--acquirer", &acquirer.path()]].concat()).output().unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(6), "{complaints}");
    assert!(complaints.contains("reports/failures/the-document"), "{complaints}");
}
