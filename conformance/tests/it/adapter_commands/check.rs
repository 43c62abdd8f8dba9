//! `adapter check`: dry, and with one live payment.

use std::net::TcpListener;

use tempfile::TempDir;

use super::{SOUND, Said, adapter, write};
use crate::adapter::foreign;
use crate::exit_codes::attaching_to_nobody;
use crate::foreign_kit::Changed;

#[test]
fn offline_shows_each_request_and_no_secret() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "acme.yaml", SOUND);
    let said =
        adapter(folder.path(), &["check", "acme.yaml", "--offline"], &[("ACME_KEY", "of-the-environment")]);
    said.must_exit(0)
        .must_print("acme.yaml is sound: acme")
        .must_print("before create_payment, call 1, for a sample order\n\n  POST http://127.0.0.1:9/sessions\n")
        .must_print("  POST http://127.0.0.1:9/payments/$SESSION\n  authorization: Bearer $ACME_KEY\n  x-reference: tx-1\n")
        .must_print("\n\n  {\"amount\":\"459.00\",\"currency\":\"SEK\",\"data\":\"{}\"}\n")
        .must_print("  GET http://127.0.0.1:9/payments/$PAYMENT_ID\n");
    assert!(!said.out.contains("of-the-environment") && !said.out.contains("a-secret-of-acme"), "{said}");
}

/// Nobody hears of an offline check: an acquirer that is called, and ports that would be listened on, are the
/// test's own; and where `strace` is at hand, it sees no socket at all.
#[test]
fn offline_opens_no_socket() {
    let folder = TempDir::new().unwrap();
    let [acquirer, simulator, partner] = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let address = |listener: &TcpListener| listener.local_addr().unwrap().to_string();
    let listen = format!(
        "listen: {{simulator: \"{}\", partner: \"{}\"}}\npartners:",
        address(&simulator),
        address(&partner)
    );
    let text = SOUND.replace("127.0.0.1:9", &address(&acquirer)).replacen("partners:", &listen, 1);
    write(folder.path(), "acme.yaml", &text);
    adapter(folder.path(), &["check", "acme.yaml", "--offline"], &[]).must_exit(0);
    for listener in [&acquirer, &simulator, &partner] {
        listener.set_nonblocking(true).unwrap();
        let called = listener.accept().map(|(_, from)| from);
        assert_eq!(called.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
    // The same file without the flag would listen there: the test would see it.
    adapter(folder.path(), &["check", "acme.yaml"], &[]).must_exit(5).must_complain("cannot listen");

    let trace = folder.path().join("trace");
    let traced = std::process::Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=socket", "-o"])
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_klarna-conformance"))
        .args(["adapter", "check", "acme.yaml", "--offline"])
        .current_dir(folder.path())
        .output();
    match traced {
        Ok(output) if output.status.success() => {
            assert_eq!(std::fs::read_to_string(&trace).unwrap(), "", "no socket was to be made");
        }
        other => eprintln!("strace cannot tell: {other:?}"),
    }
}

fn live(args: &[&str]) -> Said {
    let folder = TempDir::new().unwrap();
    adapter(folder.path(), &[&["check", "--seed", "7"], args].concat(), &[])
}

/// The row of a canary.
#[track_caller]
fn row<'a>(said: &'a Said, canary: &str) -> &'a str {
    let found =
        said.out.lines().find(|line| line.strip_prefix(canary).is_some_and(|rest| rest.starts_with("  ")));
    found.unwrap_or_else(|| panic!("{canary} has no row: {said}"))
}

#[track_caller]
fn row_says(said: &Said, canary: &str, words: &[&str]) {
    let row = row(said, canary);
    for word in words {
        assert!(row.contains(word), "{canary}: {word}: {row}\n{said}");
    }
}

#[test]
fn a_live_payment_shows_where_each_canary_came_out() {
    let said = live(&[]);
    said.must_exit(0)
        .must_print("One payment with canaries, seed 7")
        .must_print("the Customer approved")
        .must_print("the Customer came back to the Partner's return_url")
        .must_print("Klarna got 2 authorize calls: STEP_UP_REQUIRED, APPROVED");
    row_says(&said, "network_data", &["  seen  ", "byte for byte", "klarna_network_data"]);
    row_says(&said, "network_data › canary", &["  seen  ", "within", "klarna_network_data"]);
    row_says(&said, "amount", &["29722", "  seen  ", "request_payment_transaction.amount"]);
    row_says(
        &said,
        "lines[1].total_tax_amount",
        &["supplementary_purchase_data.line_items[1].total_tax_amount"],
    );
    row_says(
        &said,
        "recipient.family_name",
        &["supplementary_purchase_data.shipping[0].recipient.family_name"],
    );
    row_says(&said, "return_url", &["seen once", "the Customer came back there"]);
    row_says(&said, "locale", &["not seen: create_payment does not send it"]);
    row_says(&said, "session_token", &["not tried"]);
    row_says(&said, "outcome of create_payment", &["step_up, by rule 3"]);
    row_says(&said, "outcome of read_payment", &["approved, by rule 1"]);
    row_says(&said, "payment_id", &["  seen"]);
    row_says(&said, "redirect_url", &["seen once"]);
    row_says(&said, "approved", &["fits"]);
    assert!(!said.out.contains("alpha-test-key"), "{said}");
}

#[test]
fn another_api_is_tried_as_well() {
    let said = live(&[&foreign().display().to_string()]);
    said.must_exit(0);
    row_says(&said, "network_data", &["  seen  ", "byte for byte", "klarna_network_data"]);
    row_says(&said, "customer.phone", &["  seen  ", "supplementary_purchase_data.customer.phone"]);
}

/// What the acquirer in Python does to a payment shows in its row.
#[test]
fn what_is_lost_or_written_anew_is_told() {
    let changed = Changed::new()
        .program(
            "body[\"klarna_network_data\"] = details[\"networkData\"]",
            "body[\"klarna_network_data\"] = json.dumps(json.loads(details[\"networkData\"]))",
        )
        .adapter("emailAddress: \"{{ order.customer.email }}\"", "emailAddress: nobody@example.com")
        .adapter("prefix: \"sha256=\"", "prefix: \"sha512=\"");
    let said = live(&[&changed.path()]);
    said.must_exit(1);
    row_says(&said, "network_data", &["  seen  ", "re-encoded", "klarna_network_data"]);
    row_says(&said, "customer.email", &["not seen: create_payment does not send it"]);
    said.must_print("network_data did not reach Klarna as the Partner gave it: re-encoded")
        .must_print("does not begin with \"sha512=\"");
}

#[test]
fn an_answer_that_no_rule_fits_is_shown_with_the_reason() {
    let changed = Changed::new().adapter(
        "- {status: 200, where: {$.resultCode: ActionRequired, $.action.kind: [redirect, sdk]}, is: step_up}",
        "- {status: 200, where: {$.resultCode: Action}, is: step_up}",
    );
    let said = live(&[&changed.path()]);
    said.must_exit(1)
        .must_print("no rule of answer.outcome fits the answer 200")
        .must_print("not seen: no rule fits; the last one does not because the status is 200, and not 4xx");
    // What reached Klarna is seen all the same.
    row_says(&said, "amount", &["seen once"]);
}

#[test]
fn an_acquirer_that_is_not_there_is_no_verdict() {
    let folder = TempDir::new().unwrap();
    live(&[&attaching_to_nobody(&folder)]).must_exit(5).must_complain("nothing answers");
}
