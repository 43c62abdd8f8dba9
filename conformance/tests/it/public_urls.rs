//! Names that the acquirer is told, and addresses that are listened on.

use std::net::TcpListener;

use crate::foreign_kit::Changed;
use crate::suite::{Ran, run};

const FEATURE: &str = "features/final-authorization/driven-by-the-webhook.feature";
const ID: &str =
    "final-authorization/driven-by-the-webhook/the-webhook-drives-it-although-the-customer-never-comes-back";

/// The acquirer in Python, telling its log what it was told, with the suite listening here.
fn listening(simulator: &str, partner: &str) -> Changed {
    let listen = format!("listen: {{simulator: \"{simulator}\", partner: \"{partner}\"}}\n\npartners:\n");
    Changed::new()
        .adapter("\npartners:\n", &format!("\n{listen}"))
        .program("    register()\n    log(", "    log(\"told\", KLARNA, NOTIFY)\n    register()\n    log(")
}

/// As above, and it makes no final call, so that the exchanges are kept.
fn failing(simulator: &str, partner: &str) -> Changed {
    listening(simulator, partner).program(
        "    with LOCK:\n        if payment[\"finalised\"]:\n",
        "    return\n    with LOCK:\n        if payment[\"finalised\"]:\n",
    )
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What the acquirer and Klarna were told, in words of the log and of the journal.
fn told(ran: &Ran) -> (String, String) {
    (ran.report("acquirer.log"), ran.report(&format!("failures/{ID}/journal.ndjson")))
}

#[test]
fn public_urls_are_told_while_the_suite_listens_elsewhere() {
    let (simulator, partner) = (free_port(), free_port());
    let (klarna, shop) = (format!("http://localhost:{simulator}"), format!("http://localhost:{partner}"));
    let flags = ["--simulator-public-url", &klarna, "--partner-public-url", &shop, "--seed", "7"];
    let address = |port: u16| format!("127.0.0.1:{port}");

    // The journey there and back goes through, by the names that were told.
    let sound = listening(&address(simulator), &address(partner));
    let ran = run(&[&["--acquirer", &sound.path(), "--tags", "@AP-28 or @AP-15"][..], &flags[..]].concat());
    ran.must_exit(0).must_say(&format!("Klarna     {klarna}/"));
    assert!(ran.report("acquirer.log").contains(&format!("told {klarna} {shop}/notifications")));

    let failing = failing(&address(simulator), &address(partner));
    let ran = run(&[&["--acquirer", &failing.path(), FEATURE, "--tags", "@AP-27"][..], &flags[..]].concat());
    ran.must_exit(1).must_say(&format!("--simulator-public-url {klarna}/ --partner-public-url {shop}/"));
    let (log, journal) = told(&ran);
    assert!(journal.contains(&format!("\\\"return_url\\\": \\\"{shop}/shop/return/order-")), "{journal}");
    assert!(journal.contains(&format!("payment_request_url\\\":\\\"{klarna}/")), "{journal}");
    for address in [address(simulator), address(partner)] {
        assert!(!log.contains(&address), "{address} was told: {log}");
        let said: Vec<&str> =
            journal.lines().filter(|line| line.contains(&format!("http://{address}"))).collect();
        assert!(said.is_empty(), "{address} was told: {said:?}");
    }
}

#[test]
fn every_address_is_listened_on_and_never_told() {
    let acquirer = failing("0.0.0.0:0", "0.0.0.0:0");
    let ran = run(&["--acquirer", &acquirer.path(), FEATURE, "--tags", "@AP-27", "--seed", "7"]);
    ran.must_exit(1)
        .must_say("the simulator listens on every address, and others are told http://127.0.0.1:")
        .must_say("--partner-public-url names what they can reach");
    let (log, journal) = told(&ran);
    assert!(log.contains("told http://127.0.0.1:"), "{log}");
    assert!(!log.contains("0.0.0.0") && !journal.contains("0.0.0.0"), "{log}\n{journal}");
    assert!(journal.contains("payment_request_url\\\":\\\"http://127.0.0.1:"), "{journal}");
}

#[test]
fn what_cannot_be_told_is_a_mistake_of_usage() {
    run(&["--simulator-public-url", "http://0.0.0.0:1"]).must_exit(2);
    run(&["--partner-public-url", "shop:80"]).must_exit(2).must_say("scheme, host and port");
    run(&["--simulator-public-url", "http://klarna:1", "--defect", "final-call-skipped"])
        .must_exit(2)
        .must_say("cannot be combined with --simulator-public-url");
    run(&["--simulator", "http://127.0.0.1:1", "--allow-http-webhooks", "acquirer"]).must_exit(2);
}

#[test]
fn plain_http_webhooks_go_to_the_host_that_is_named() {
    let acquirer = Changed::new().program(
        "\"url\": f\"http://{HOST}:{PORT}/klarna/events\"",
        "\"url\": f\"http://acquirer.test:{PORT}/klarna/events\"",
    );
    let some = ["--acquirer", &acquirer.path(), "--tags", "@AP-17 and @document"];
    run(&some).must_exit(5).must_say("Klarna takes no webhook: 400");
    run(&[&some[..], &["--allow-http-webhooks", "acquirer.test"]].concat()).must_exit(0);
    run(&[&some[..], &["--allow-http-webhooks", "other.test"]].concat()).must_exit(5);
}
