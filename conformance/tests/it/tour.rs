//! The README's tour, played as a reader would play it: its commands against the two servers as
//! separate processes, and what they print against what the page says they print.
//!
//! In the page, a block `sh server` starts a server in a terminal of its own, a block `sh` is typed
//! into one shell that stays open, and a block `text` is what the block before it prints, where `…`
//! stands for any text in a line and a line that is only `…` for any lines. Ports are replaced by
//! free ones on the way in, and put back on the way out.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use regex::Regex;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::suite::root;

const SECTION: &str = "## A tour in ten minutes";

/// How long a server may take to listen, and the whole tour to end.
const START_WITHIN: Duration = Duration::from_secs(30);
const END_WITHIN: Duration = Duration::from_mins(2);

/// Parts the outputs of the blocks.
const SEPARATOR: &str = "----- the next block of the tour -----";

/// A command of the page with what it prints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) kind: String,
    pub(crate) commands: String,
    pub(crate) prints: Option<String>,
}

/// The code blocks of the tour, in order.
fn blocks(page: &str) -> Vec<Block> {
    let tour = page.split_once(SECTION).expect("the README has a tour").1;
    blocks_of(tour.split("\n## ").next().unwrap())
}

/// The code blocks of a page, in order, each with what it prints.
pub(crate) fn blocks_of(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else { continue };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let text = text.join("\n");
        if kind == "text" {
            let before = blocks.last_mut().expect("a text block stands behind the command that prints it");
            assert!(before.prints.replace(text).is_none(), "two text blocks behind {before:?}");
        } else {
            blocks.push(Block { kind: kind.to_owned(), commands: text, prints: None });
        }
    }
    blocks
}

/// What a text block allows to be printed.
pub(crate) fn pattern(prints: &str) -> Regex {
    let lines = prints.lines().map(|line| match line.trim() {
        "…" => "(?:.*\n)*?".to_owned(),
        _ => format!("{}\n", regex::escape(line).replace('…', ".*?")),
    });
    Regex::new(&format!("^{}$", lines.collect::<String>())).unwrap()
}

/// Where the two servers are, if they have been built.
#[expect(clippy::disallowed_methods, reason = "a test asks how it was started")]
pub(crate) fn programs() -> Option<PathBuf> {
    let folder = match std::env::var_os("TOUR_PROGRAMS") {
        Some(folder) => std::path::absolute(folder).unwrap(),
        // target/<profile>/deps/<this test>
        None => std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned(),
    };
    let built = ["klarna-simulator", "reference-acquirer"].iter().all(|name| folder.join(name).is_file());
    if built {
        return Some(folder);
    }
    let missing = format!("klarna-simulator and reference-acquirer are not in {}", folder.display());
    assert!(std::env::var_os("CI").is_none(), "{missing}: test the whole workspace");
    // Past the test harness, which swallows what passing tests print.
    let said = format!(
        "the README's tour and docs/for-partners.md were NOT tested: {missing}; cargo test --workspace builds them\n"
    );
    std::io::stderr().write_all(said.as_bytes()).unwrap();
    None
}

/// A reader of the page.
pub(crate) struct Reader {
    programs: PathBuf,
    folder: tempfile::TempDir,
    /// Stopped when the tour ends, however it ends.
    servers: Vec<Child>,
    /// Address in the page, address in truth.
    addresses: Vec<(String, String)>,
}

impl Reader {
    pub(crate) fn new(programs: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // What the commands of the page find in the repository.
        let example = "reference-acquirer/acquirer.example.toml";
        std::fs::create_dir(folder.path().join("reference-acquirer")).unwrap();
        std::fs::copy(root().join(example), folder.path().join(example)).unwrap();
        Self { programs, folder, servers: Vec::new(), addresses: Vec::new() }
    }

    /// A file that the page shows, for its commands to use.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn bash(&self, script: &str) -> Command {
        let mut script = script.replace("target/release/", "\"$PROGRAMS\"/");
        for (in_the_page, in_truth) in &self.addresses {
            script = script.replace(in_the_page, in_truth);
        }
        let mut command = Command::new("bash");
        command.arg("-c").arg(script).current_dir(self.folder.path()).env("PROGRAMS", &self.programs);
        for (name, _) in std::env::vars_os() {
            let settings = ["KLARNA_", "REFERENCE_ACQUIRER_", "PARTNER_", "ACQUIRER_", "RUST_LOG"];
            if settings.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1").env("PYTHONIOENCODING", "utf-8");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// As the page would say it.
    fn in_words_of_the_page(&self, text: &str) -> String {
        self.addresses
            .iter()
            .fold(text.to_owned(), |text, (in_the_page, in_truth)| text.replace(in_truth, in_the_page))
    }

    pub(crate) async fn start(&mut self, block: &Block) {
        let address = Regex::new(r"--listen (127\.0\.0\.1:\d+)").unwrap();
        let in_the_page = address.captures(&block.commands).expect("a server listens")[1].to_owned();
        let free = address.replace(&block.commands, "--listen 127.0.0.1:0");
        let log = self.folder.path().join(format!("{}.log", self.servers.len()));
        let mut server =
            self.bash(&format!("exec {free}")).stderr(File::create(&log).unwrap()).spawn().expect("bash");
        let mut line = String::new();
        let mut output = BufReader::new(server.stdout.take().unwrap());
        let read = timeout(START_WITHIN, output.read_line(&mut line)).await;
        let said = || std::fs::read_to_string(&log).unwrap();
        assert!(matches!(read, Ok(Ok(1..))), "{}\nis not ready, and says:\n{}", block.commands, said());
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        let in_truth = ready["listening"].as_str().unwrap().trim_start_matches("http://").to_owned();
        self.addresses.push((in_the_page, in_truth));
        self.servers.push(server);
        self.compare(block, &line);
    }

    pub(crate) async fn type_in(&self, blocks: &[Block]) {
        let commands: Vec<&str> = blocks.iter().map(|block| block.commands.as_str()).collect();
        let script =
            format!("set -euo pipefail\n{}", commands.join(&format!("\necho; echo '{SEPARATOR}'\n")));
        let shell = self.bash(&script).stderr(Stdio::piped()).spawn().expect("bash");
        let ended =
            timeout(END_WITHIN, shell.wait_with_output()).await.expect("the tour ends in time").unwrap();
        let printed = String::from_utf8(ended.stdout).unwrap();
        let complaints = String::from_utf8_lossy(&ended.stderr);
        let separator = format!("\n{SEPARATOR}\n");
        let outputs: Vec<&str> = printed.split(separator.as_str()).collect();
        for (block, output) in blocks.iter().zip(&outputs) {
            if block.prints.is_some() && (ended.status.success() || output != outputs.last().unwrap()) {
                self.compare(block, output);
            }
        }
        let reached = &blocks[outputs.len() - 1].commands;
        assert!(ended.status.success(), "{reached}\nended with {}:\n{complaints}\n{printed}", ended.status);
        assert_eq!(outputs.len(), blocks.len());
    }

    fn compare(&self, block: &Block, printed: &str) {
        let Some(prints) = &block.prints else { return };
        let printed = self.in_words_of_the_page(printed);
        let fits = pattern(prints).is_match(&format!("{}\n", printed.trim_end()));
        assert!(fits, "{}\n----- prints, says the page:\n{prints}\n----- prints:\n{printed}", block.commands);
    }
}

#[tokio::test]
async fn the_tour_of_the_readme_goes_as_it_says() {
    let Some(programs) = programs() else { return };
    let blocks = blocks(&std::fs::read_to_string(root().join("README.md")).unwrap());
    let of = |kind: &str| blocks.iter().filter(|block| block.kind == kind).cloned().collect::<Vec<_>>();
    let (built, servers, typed) = (of("sh build"), of("sh server"), of("sh"));
    assert_eq!(
        built.len() + servers.len() + typed.len(),
        blocks.len(),
        "only these kinds of blocks are known"
    );
    assert_eq!(servers.len(), 2, "Klarna and an acquirer");
    assert!(
        typed.iter().filter(|block| block.prints.is_some()).count() > 8,
        "the tour shows what is printed"
    );
    let mut reader = Reader::new(programs);
    for server in &servers {
        reader.start(server).await;
    }
    reader.type_in(&typed).await;
}

#[test]
fn blocks_are_found_in_their_section_only() {
    let page = format!(
        "```sh\nbefore\n```\n{SECTION}\n```sh\none\ntwo\n```\n```text\nout …\n```\n```sh server\nserve\n```\n## Next\n```sh\nno\n```\n"
    );
    let found = blocks(&page);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].commands, "one\ntwo");
    assert_eq!(found[0].prints.as_deref(), Some("out …"));
    assert_eq!((found[1].kind.as_str(), &found[1].prints), ("sh server", &None));
}

#[test]
fn what_is_printed_has_to_fit_from_end_to_end() {
    let pattern = pattern("{\n    \"a\": \"…\",\n    …\n}");
    assert!(pattern.is_match("{\n    \"a\": \"x\",\n}\n"));
    assert!(pattern.is_match("{\n    \"a\": \"x\",\n    \"b\": 1,\n    \"c\": 2\n}\n"));
    assert!(!pattern.is_match("{\n    \"b\": \"x\",\n}\n"), "another line");
    assert!(!pattern.is_match("{\n    \"a\": \"x\",\n}\nmore\n"), "more than is said");
    assert!(!pattern.is_match("{\n    \"a\": \"x\ny\",\n}\n"), "an ellipsis in a line stays in it");
}
