//! The walk of docs/bind-your-acquirer.md, as a reader would take it: its commands, its edits, and what is printed.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::suite::root;
use crate::tour::{Block, blocks_of, pattern};

const SECTION: &str = "## A quarter of an hour, from an OpenAPI document to a run\n";

/// The blocks of the walk.
fn blocks() -> Vec<Block> {
    let page = std::fs::read_to_string(root().join("docs/bind-your-acquirer.md")).unwrap();
    let (_, walk) = page.split_once(SECTION).expect("the guide has a walk");
    blocks_of(walk.split("\n## ").next().unwrap())
}

/// Types commands into a shell that knows what the ones before have set, and where they have gone.
fn typed(folder: &Path, commands: &str) -> String {
    let environment = folder.join("environment");
    let script = format!(
        "exec 2>&1; [ -f '{0}' ] && . '{0}'\n{commands}\nstatus=$?\n{{ export -p; echo cd \"'$PWD'\"; }} > '{0}'; exit $status",
        environment.display()
    );
    let programs = Path::new(env!("CARGO_BIN_EXE_klarna-conformance")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display());
    let output =
        Command::new("bash").args(["-c", &script]).current_dir(folder).env("PATH", path).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Puts lines in the place of others, each as often as it is there.
fn edit(file: &Path, diff: &str) {
    let mut text = std::fs::read_to_string(file).unwrap();
    let mut lines = diff.lines().peekable();
    while let Some(line) = lines.next() {
        let gone = line.strip_prefix('-').unwrap_or_else(|| panic!("a line to take away: {line}"));
        let mut come = String::new();
        while let Some(line) = lines.next_if(|line| line.starts_with('+')) {
            come.push_str(&line[1..]);
            come.push('\n');
        }
        let gone = format!("{gone}\n");
        assert!(text.contains(&gone), "{gone} is not there:\n{text}");
        text = text.replace(&gone, &come);
    }
    std::fs::write(file, text).unwrap();
}

#[test]
fn the_walk_of_the_guide_goes_as_it_says() {
    let folder = TempDir::new().unwrap();
    let foreign = folder.path().join("conformance/tests/foreign");
    std::fs::create_dir_all(&foreign).unwrap();
    for name in ["acquirer.py", "openapi.yaml"] {
        std::fs::copy(root().join("conformance/tests/foreign").join(name), foreign.join(name)).unwrap();
    }
    let blocks = blocks();
    assert!(
        blocks.iter().filter(|block| block.kind == "sh" && block.prints.is_some()).count() >= 6,
        "{blocks:#?}"
    );
    for Block { kind, commands, prints } in blocks {
        match kind.as_str() {
            "diff" => edit(&folder.path().join("acme/acme.yaml"), &commands),
            "sh" => {
                let said = typed(folder.path(), &commands);
                let Some(prints) = prints else { continue };
                assert!(
                    pattern(&prints).is_match(&said),
                    "{commands}\n--- is to print\n{prints}\n--- and printed\n{said}"
                );
            }
            other => panic!("a block of an unknown kind: {other}"),
        }
    }
}
