//! Exit codes are an API: each, seen on the real program.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::suite::{command, root, run, text};

/// An adapter that attaches to a port where nobody listens any more.
pub(crate) fn attaching_to_nobody(folder: &TempDir) -> String {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = std::fs::read_to_string(root().join("conformance/tests/foreign/adapter.yaml")).unwrap();
    let from = text.find("launch:").unwrap();
    let to = text.find("partners:").unwrap();
    let attach = format!("attach: {{base_url: \"http://127.0.0.1:{port}\"}}\n\n");
    let path = folder.path().join("attach.yaml");
    std::fs::write(&path, format!("{}{attach}{}", &text[..from], &text[to..])).unwrap();
    path.display().to_string()
}

#[test]
fn two_for_a_command_line_that_makes_no_sense() {
    run(&["run", "--nonsense"]).must_exit(2).must_say("--nonsense");
    run(&["--tags", "@a and"]).must_exit(2);
    run(&["--jobs", "0"]).must_exit(2);
    run(&["--defect", "final-call-skiped"]).must_exit(2).must_say("final-call-skipped");
    run(&["--simulator", "not a url"]).must_exit(2);
}

#[test]
fn zero_for_help_and_version() {
    run(&["--help"]).must_exit(0).must_say("Exit codes:").must_say("KLARNA_CONFORMANCE_ACQUIRER");
    run(&["run", "--help"]).must_exit(0).must_say("--require-complete");
    run(&["--version"]).must_exit(0).must_say(env!("CARGO_PKG_VERSION"));
}

#[test]
fn three_for_a_feature_or_adapter_that_is_not_valid() {
    run(&["features/the-documnt.feature"])
        .must_exit(3)
        .must_say("did you mean features/the-document.feature?");

    let folder = TempDir::new().unwrap();
    let feature = folder.path().join("broken.feature");
    std::fs::write(&feature, "Feature: x\n\n  Scenario: y\n    Given Klarna will aprove the payment\n")
        .unwrap();
    let path = feature.display().to_string();
    for args in [vec![path.as_str()], vec!["--features", path.as_str()], vec!["lint", path.as_str()]] {
        run(&args)
            .must_exit(3)
            .must_say("broken.feature:4:5")
            .must_say("{decision} does not take \"aprove\": did you mean \"approve\"?")
            .must_say("nothing was started");
    }

    let adapter = folder.path().join("adapter.yaml");
    std::fs::write(&adapter, "version: 1\nname: x\npartnrs: []\n").unwrap();
    let ran = run(&["--acquirer", &adapter.display().to_string()]);
    ran.must_exit(3).must_say("adapter.yaml:3").must_say("partnrs");
    assert!(!ran.reports.path().join("reports").exists(), "something was started");
    run(&["--acquirer", "nowhere.yaml"]).must_exit(3).must_say("nowhere.yaml");
}

#[test]
fn four_for_an_empty_selection() {
    run(&["--tags", "@AP-11 and @AP-08"]).must_exit(4).must_say("nothing was selected");
    run(&["features/the-document.feature:9999"]).must_exit(4).must_say("no scenario stands there");
}

#[test]
fn five_for_parties_that_cannot_be_reached() {
    let folder = TempDir::new().unwrap();
    run(&["--acquirer", &attaching_to_nobody(&folder)]).must_exit(5).must_say("nothing answers");

    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    run(&["--simulator", &format!("http://127.0.0.1:{port}")])
        .must_exit(5)
        .must_say("the simulator")
        .must_say("hint: is this the base URL of a klarna-simulator?");

    let text = std::fs::read_to_string(root().join("conformance/tests/foreign/adapter.yaml")).unwrap();
    let absent = folder.path().join("absent.yaml");
    std::fs::write(&absent, text.replace("[python3, acquirer.py]", "[no-such-acquirer]")).unwrap();
    run(&["--acquirer", &absent.display().to_string()]).must_exit(5).must_say("no-such-acquirer");

    let ends = folder.path().join("ends.yaml");
    std::fs::write(
        &ends,
        text.replace("[python3, acquirer.py]", "[sh, -c, \"echo no database >&2; exit 9\"]"),
    )
    .unwrap();
    run(&["--acquirer", &ends.display().to_string()]).must_exit(5).must_say("no database");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("listen: {{simulator: \"{}\"}}\n\npartners:", taken.local_addr().unwrap());
    let path = folder.path().join("taken.yaml");
    std::fs::write(&path, text.replacen("partners:", &listen, 1)).unwrap();
    run(&["--acquirer", &path.display().to_string()]).must_exit(5).must_say("cannot listen");
}

#[test]
fn six_when_the_reports_cannot_be_written() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    run(&["--reports", &file.display().to_string()]).must_exit(6).must_say("reports cannot be written");
}

/// Answers that it lives, and dies at the first payment.
const DIES: &str = r#"
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def do_POST(self):
        sys.stderr.write("out of memory, or so it says\n"); sys.stderr.flush()
        os._exit(7)
host, port = os.environ["ACQUIRER_LISTEN"].rsplit(":", 1)
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"#;

#[test]
fn one_when_the_acquirer_dies_in_the_middle_of_the_run() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("acquirer.py"), DIES).unwrap();
    let text = std::fs::read_to_string(root().join("conformance/tests/foreign/adapter.yaml")).unwrap();
    let path = folder.path().join("adapter.yaml");
    std::fs::write(&path, text).unwrap();
    let ran = run(&["--acquirer", &path.display().to_string(), "--tags", "@AP-08"]);
    ran.must_exit(1)
        .must_say("the acquirer ended in the middle of the run")
        .must_say("out of memory, or so it says");
    let rules: Vec<String> = ran.events("finding").iter().map(text_of_rule).collect();
    assert!(rules.contains(&"acquirer.died".to_owned()), "{rules:?}");
}

fn text_of_rule(line: &serde_json::Value) -> String {
    text(&line["finding"]["rule"])
}

#[test]
fn a_hundred_and_thirty_when_interrupted_and_the_reports_are_there() {
    let folder = TempDir::new().unwrap();
    // With this defect the scenario waits for a call that does not come.
    let scenario = "features/final-authorization/driven-by-the-webhook.feature";
    let args = [scenario, "--tags", "@AP-27", "--defect", "final-call-skipped"];
    let mut child =
        command(folder.path(), &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let selected = lines.by_ref().map(Result::unwrap).find(|line| line.contains("selected"));
    assert!(selected.is_some());
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    let mut complaints = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?} {complaints}");
    assert!(rest.iter().any(|line| line.contains("interrupted")), "{rest:?}");
    let model = std::fs::read_to_string(folder.path().join("reports/run.ndjson")).unwrap();
    assert!(model.lines().last().unwrap().contains("\"exit_code\":130"), "{model}");
    assert!(folder.path().join("reports/junit.xml").exists());
}
