//! `--pause-on-failure`: what a scenario has failed on is there to be looked at, as long as somebody looks.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use regex::Regex;
use tempfile::TempDir;

use crate::suite::{command, run};

const RED: [&str; 6] = [
    "features/the-document.feature:12",
    "--defect",
    "network-data-dropped",
    "--seed",
    "7",
    "--pause-on-failure",
];

#[test]
fn everybody_is_up_until_enter() {
    let folder = TempDir::new().unwrap();
    let mut program = command(folder.path(), &RED);
    let mut child =
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = String::new();
    for line in lines.by_ref() {
        said.push_str(&line);
        said.push('\n');
        if line.contains("Enter goes on") {
            break;
        }
    }
    assert!(said.contains("paused: the-document/") && said.contains("network-data."), "{said}");
    let urls = Regex::new(r"(?m)^  (?:Klarna|acquirer|Partner) +(http\S+?),?(?: |$)").unwrap();
    let urls: Vec<&str> = urls.captures_iter(&said).map(|found| found.get(1).unwrap().as_str()).collect();
    assert_eq!(urls.len(), 3, "{said}");
    // The sandbox is as the scenario left it.
    let account = said.split("sandbox ").nth(1).unwrap().lines().next().unwrap();
    let journal = format!("{}_simulator/v1/sandboxes/{account}/journal", urls[0]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        klarna_simulator::install_crypto_provider();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        for url in &urls {
            http.get(*url).send().await.unwrap();
        }
        let journal = http.get(&journal).send().await.unwrap().text().await.unwrap();
        assert!(journal.contains("authorize"), "{journal}");
    });
    assert!(child.try_wait().unwrap().is_none(), "it did not wait");

    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(folder.path().join("reports/junit.xml").is_file());
}

#[test]
fn where_nobody_can_press_enter_it_goes_on() {
    let ran = run(&RED);
    ran.must_exit(1).must_say("paused: ").must_say("nobody is there to press Enter: going on");
}

#[test]
fn what_holds_does_not_pause() {
    let ran = run(&["features/the-document.feature:12", "--seed", "7", "--pause-on-failure"]);
    ran.must_exit(0).must_say("one scenario at once, not 4: it pauses on a failure");
    assert!(!ran.all().contains("paused"), "{}", ran.all());
}
