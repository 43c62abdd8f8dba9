//! What docs/rules.md shows is what the program prints.

use std::path::Path;
use std::process::Command;

/// The fenced blocks of a kind, in order.
fn blocks<'a>(page: &'a str, kind: &str) -> Vec<&'a str> {
    let fence = format!("```{kind}\n");
    page.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// What a command of the page prints, on either stream.
fn printed(command: &str, folder: &Path) -> String {
    let mut words = command.split(' ');
    assert_eq!(words.next(), Some("klarna-simulator"), "{command}");
    let mut program = Command::new(env!("CARGO_BIN_EXE_klarna-simulator"));
    let output = program.args(words).current_dir(folder).env_remove("RUST_LOG").output().unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

#[test]
fn every_command_of_the_page_prints_what_stands_there() {
    let page = include_str!("../../../docs/rules.md");
    let folder = tempfile::tempdir().unwrap();
    for yaml in blocks(page, "yaml") {
        let name = yaml.lines().next().unwrap().trim_start_matches("# ");
        std::fs::write(folder.path().join(name), yaml).unwrap();
    }
    std::fs::write(folder.path().join("authorize.json"), blocks(page, "json")[0]).unwrap();
    let mut commands = 0;
    for block in blocks(page, "console") {
        for piece in block.split("$ ").skip(1) {
            let (command, output) = piece.split_once('\n').unwrap();
            if command.contains(" serve ") {
                // Tested where the program is started.
                continue;
            }
            assert_eq!(printed(command, folder.path()), output, "{command}");
            commands += 1;
        }
    }
    assert_eq!(commands, 3);
    let toml = folder.path().join("rules.toml");
    std::fs::write(&toml, blocks(page, "toml")[0]).unwrap();
    assert_eq!(
        printed("klarna-simulator rules check rules.toml", folder.path()),
        "rules.toml: 1 rule, nothing wrong\n"
    );
}
