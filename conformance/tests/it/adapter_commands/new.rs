//! `adapter new`: from OpenAPI documents, flags and questions; what is not known is what the check points to.

use klarna_conformance::adapter::Adapter;
use tempfile::TempDir;

use super::{Said, adapter, adapter_told, write};
use crate::suite::root;

/// Lines of a file that hold a TODO, from 1.
fn todos(text: &str) -> Vec<usize> {
    text.lines().enumerate().filter(|(_, line)| line.contains("# TODO")).map(|(index, _)| index + 1).collect()
}

/// Lines of a file that the check complains of.
fn complained_of(said: &Said, file: &str) -> Vec<usize> {
    let at = regex::Regex::new(&format!(r"× {}:(\d+):\d+: ", regex::escape(file))).unwrap();
    at.captures_iter(&said.err).map(|found| found[1].parse().unwrap()).collect()
}

fn read(folder: &TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

/// The text with some lines replaced, each of which must be there once.
fn filled(text: &str, fills: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (part, whole) in fills {
        let line = text
            .lines()
            .find(|line| line.contains(part))
            .unwrap_or_else(|| panic!("{part} is not there"))
            .to_owned();
        assert_eq!(text.matches(&*line).count(), 1, "{line}");
        text = text.replace(&line, whole);
    }
    text
}

/// The part of a file that begins with a line and ends before another.
fn part<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap();
    rest.split_once(to).unwrap().0
}

async fn reference_document() -> String {
    reference_acquirer::http::openapi::serve().await.ok().unwrap().0.to_string()
}

/// From the reference acquirer's own document to a payment: only the lines that say TODO are filled in.
#[tokio::test]
async fn the_reference_acquirers_document_leads_to_a_payment() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "openapi.json", &reference_document().await);
    let new = ["new", "--from-openapi", "openapi.json", "--out", "ref.yaml", "--name", "ref"];
    let said = adapter(folder.path(), &new, &[]);
    said.must_exit(0)
        .must_complain("ref.yaml is written; left to do, 2:")
        .must_complain("ref.yaml:5: where the acquirer runs")
        .must_complain("how notifications are signed")
        .must_complain("to be set in the environment: REF_API_KEY, REF_NOTIFICATION_SECRET");
    let text = read(&folder, "ref.yaml");
    assert_eq!(todos(&text).len(), 2, "{text}");
    for proposed in [
        "capabilities: [redirect, sdk]",
        "authentication: {bearer: \"{{ partner.vars.api_key }}\"}",
        "klarna_network_data: \"{{ order.network_data | omit }}\"\n",
        "given_name: \"{{ order.recipient.given_name }}\"\n",
        "path: \"/v1/payments/{{ payment.payment_id | urlencode }}\"\n",
        "\"$.status\": \"step_up_required\"}, is: step_up}",
        "redirect_url: \"$.payment_request_url\"",
        "'klarna'].payment_option.payment_option_id\": \"/payment_option/payment_option_id\"",
        "payment_id: \"$.data.payment_id\"",
    ] {
        assert!(text.contains(proposed), "{proposed} is not proposed:\n{text}");
    }

    let environment = [
        ("REF_API_KEY", "a-key-of-this-run"),
        ("REF_NOTIFICATION_SECRET", "whsec_YWxwaGEtdGVzdC1ub3RpZmljYXRpb24="),
    ];
    let check = ["check", "ref.yaml", "--offline"];
    let said = adapter(folder.path(), &check, &environment);
    said.must_exit(3);
    assert_eq!(complained_of(&said, "ref.yaml"), todos(&text), "{said}");
    // Without the environment, the lines that name it are pointed to, too.
    let said = adapter(folder.path(), &check, &[]);
    said.must_exit(3).must_complain("ref.yaml:11:16: the environment variable").must_complain("4 mistakes");

    let (_, embedded) = Adapter::embedded()[0];
    let launch = format!("launch:{}", part(embedded, "\nlaunch:", "\n# As many"));
    let verify = "  verify: {scheme: standard-webhooks, secret: \"{{ partner.vars.notification_secret }}\"}";
    let text = filled(&text, &[("base_url: TODO", &launch), ("scheme: TODO", verify)]);
    write(folder.path(), "ref.yaml", &text);
    adapter(folder.path(), &check, &environment).must_exit(0);
    let said = tokio::task::spawn_blocking(move || {
        let said = adapter(folder.path(), &["check", "ref.yaml", "--seed", "7"], &environment);
        drop(folder);
        said
    });
    said.await
        .unwrap()
        .must_exit(0)
        .must_print("the acquirer made the final authorize: APPROVED")
        .must_print("approved, by rule 1")
        .must_print("approved      fits");
}

/// The same with OpenAPI 3.0 in YAML and names of the acquirer's own.
#[test]
fn a_foreign_document_leads_to_a_payment() {
    let folder = TempDir::new().unwrap();
    let foreign = root().join("conformance/tests/foreign");
    std::fs::copy(foreign.join("acquirer.py"), folder.path().join("acquirer.py")).unwrap();
    let document = foreign.join("openapi.yaml").display().to_string();
    let new = ["new", "--from-openapi", &document, "--out", "f.yaml", "--name", "f"];
    let said = adapter(folder.path(), &new, &[]);
    said.must_exit(0).must_complain(
        "riskProfile is needed, and nothing of an order is called so; one of \"low\", \"high\"",
    );
    let text = read(&folder, "f.yaml");
    for proposed in [
        "authentication: {header: {name: X-API-Key, value: \"{{ partner.vars.api_key }}\"}}",
        "path: \"/checkout/v3/payments\"",
        "merchantAccount: \"{{ partner.vars.merchant_id }}\"",
        "value: \"{{ order.amount | decimal }}\"  # likely: a text, so a decimal",
        "channel: \"{% if order.mode == 'sdk' %}SDK{% else %}WEB{% endif %}\"",
        "zip: \"{{ order.shipping_address.postal_code }}\"",
        "firstName: \"{{ order.recipient.given_name }}\"",
        "type: \"klarna_network\"  # likely: Klarna's among several words",
        "# optional, and nothing of an order: dateOfBirth",
        "# optional, and nothing of an order: self",
        "\"$.resultCode\": \"ActionRequired\"}, is: step_up}",
        "payment_id: \"$.notificationItems[0].pspReference\"",
        "# Found as the callback onUpdate.",
    ] {
        assert!(text.contains(proposed), "{proposed} is not proposed:\n{text}");
    }
    let environment =
        [("F_API_KEY", "f-test-key"), ("F_MERCHANT_ID", "ShopF"), ("F_NOTIFICATION_SECRET", "f-test-secret")];
    let said = adapter(folder.path(), &["check", "f.yaml", "--offline"], &environment);
    said.must_exit(3);
    assert_eq!(complained_of(&said, "f.yaml"), todos(&text), "{said}");

    let known = std::fs::read_to_string(foreign.join("adapter.yaml")).unwrap();
    let launch = format!("launch:{}", part(&known, "\nlaunch:", "\npartners:"));
    let launch = launch
        .replace("vars.hmac_key", "vars.notification_secret")
        .replace("vars.merchant ", "vars.merchant_id ");
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains("PartiallyAuthorised")).collect();
    let text = kept.join("\n") + "\n";
    let text = filled(
        &text,
        &[
            ("base_url: TODO", &launch),
            ("riskProfile", "          riskProfile: low"),
            (
                "scheme: TODO",
                "  verify: {scheme: hmac-sha256, header: X-Signature, prefix: \"sha256=\", secret: \"{{ partner.vars.notification_secret }}\"}",
            ),
            ("$.TODO", "    - {where: {\"$.notificationItems[0].success\": \"true\"}, is: approved}"),
        ],
    );
    assert!(todos(&text).is_empty(), "{text}");
    write(folder.path(), "f.yaml", &text);
    let said = adapter(folder.path(), &["check", "f.yaml", "--seed", "7"], &environment);
    said.must_exit(0)
        .must_print("the acquirer made the final authorize: APPROVED")
        .must_print("approved      fits");
}

/// All flags that a whole file needs.
const FLAGS: &[&str] = &[
    "new",
    "--name",
    "acme",
    "--base-url",
    "http://127.0.0.1:9",
    "--klarna-account",
    "krn:shop",
    "--authentication",
    "bearer:ACME_KEY",
    "--create",
    "POST /v1/{shop}/payments",
    "--read",
    "GET /v1/{shop}/payments/{id}",
    "--field",
    "amount.value=amount|decimal",
    "--field",
    "amount.currency=currency",
    "--field",
    "data=network_data",
    "--outcome",
    "state=paid:approved",
    "--outcome",
    "state=ask:step_up",
    "--reads",
    "payment_id=id",
    "--reads",
    "redirect_url=$.action['the url']",
];

#[test]
fn flags_alone_make_a_whole_file() {
    let folder = TempDir::new().unwrap();
    let args = [FLAGS, &["--out", "acme.yaml"]].concat();
    let said = adapter(folder.path(), &args, &[]);
    said.must_exit(0).must_complain("acme.yaml is written; nothing is left to do");
    let environment = [("ACME_KEY", "a-key-of-acme"), ("ACME_SHOP", "shop-1")];
    adapter(folder.path(), &["check", "acme.yaml", "--offline"], &environment)
        .must_exit(0)
        .must_print("POST http://127.0.0.1:9/v1/")
        .must_print("{\"amount\":{\"value\":\"459.00\",\"currency\":\"SEK\"},\"data\":\"{}\"}");

    // A file that is there stays, unless it is to go.
    write(folder.path(), "acme.yaml", "mine\n");
    adapter(folder.path(), &args, &[])
        .must_exit(2)
        .must_complain("is there already")
        .must_complain("--force");
    assert_eq!(read(&folder, "acme.yaml"), "mine\n");
    adapter(folder.path(), &[&args[..], &["--force"]].concat(), &[]).must_exit(0);
    assert!(read(&folder, "acme.yaml").contains("name: \"acme\""));

    // Without --out, it is printed.
    adapter(folder.path(), FLAGS, &[]).must_exit(0).must_print("name: \"acme\"\n");
}

#[test]
fn what_no_flag_says_is_left_to_do_at_its_line() {
    let folder = TempDir::new().unwrap();
    adapter(folder.path(), &["new", "--out", "acme.yaml"], &[]).must_exit(0).must_complain("left to do");
    let text = read(&folder, "acme.yaml");
    let said = adapter(folder.path(), &["check", "acme.yaml", "--offline"], &[]);
    said.must_exit(3);
    assert_eq!(complained_of(&said, "acme.yaml"), todos(&text), "{text}\n{said}");
    assert!(todos(&text).len() >= 8, "{text}");
}

/// Questions are asked for what no flag says; an empty line, or the end of the input, leaves it open.
#[test]
fn questions_are_answered_through_a_pipe() {
    let folder = TempDir::new().unwrap();
    let answers = "http://127.0.0.1:9\n\nnone\nPOST /pay\namount|decimal\ncur\nref\n\nknd\nid\nurl\nok=yes:approved ok=no:declined\n";
    let said =
        adapter_told(folder.path(), &["new", "--ask", "--name", "acme", "--out", "acme.yaml"], answers);
    said.must_exit(0)
        .must_complain("Which call creates a payment, e.g. POST /v1/payments\n> ")
        .must_complain("acme.yaml is written; nothing is left to do");
    assert!(!said.err.contains("What is the acquirer called"), "a flag had said it: {said}");
    let text = read(&folder, "acme.yaml");
    assert!(text.contains("{status: \"2xx\", where: {\"$.ok\": \"no\"}, is: declined}"), "{text}");
    assert!(!text.contains("read_payment") && !text.contains("return_url"), "{text}");
    adapter(folder.path(), &["check", "acme.yaml", "--offline"], &[])
        .must_exit(0)
        .must_print("{\"amount\":\"459.00\",\"cur\":\"SEK\",\"ref\":\"tx-1\",\"knd\":\"{}\"}");

    // Nobody is asked where nobody could answer.
    let said = adapter_told(folder.path(), &["new"], "ignored\n");
    assert!(!said.must_exit(0).err.contains("> "), "{said}");
}

#[test]
fn what_makes_no_sense_is_refused_and_nothing_written() {
    let folder = TempDir::new().unwrap();
    let document = root().join("conformance/tests/foreign/openapi.yaml").display().to_string();
    write(folder.path(), "swagger.json", "{\"swagger\": \"2.0\"}");
    write(folder.path(), "broken.yaml", "openapi: 3.0.0\npaths: [\n");
    for (args, code, what) in [
        (&["--authentication", "baerer:KEY"] as &[&str], 2, "did you mean bearer?"),
        (&["--authentication", "bearer:MY-KEY"], 2, "no name of an environment variable"),
        (&["--create", "/v1/payments"], 2, "as 'POST /v1/payments'"),
        (&["--create", "FETCH /v1/payments"], 2, "no method"),
        (&["--outcome", "state=paid:aproved"], 2, "did you mean approved?"),
        (&["--reads", "payment_di=id"], 2, "did you mean payment_id?"),
        (&["--field", "amount"], 2, "amount.value=order.amount"),
        (&["--from-openapi", &document, "--create", "POST /payment"], 2, "did you mean 'POST /payments'?"),
        (&["--from-openapi", "swagger.json"], 3, "Swagger 2.0"),
        (&["--from-openapi", "broken.yaml"], 3, "broken.yaml:"),
        (&["--from-openapi", "no.yaml"], 3, "no.yaml cannot be read"),
    ] {
        let args = [&["new", "--out", "acme.yaml"], args].concat();
        adapter(folder.path(), &args, &[]).must_exit(code).must_complain(what);
        assert!(!folder.path().join("acme.yaml").exists(), "{args:?}");
    }
}

/// A call that is named goes before the one that would be chosen.
#[test]
fn a_call_that_is_named_is_taken() {
    let folder = TempDir::new().unwrap();
    let document = root().join("conformance/tests/foreign/openapi.yaml").display().to_string();
    let args =
        ["new", "--from-openapi", &document, "--create", "POST /forms", "--field", "klarna.extra=locale"];
    let said = adapter(folder.path(), &args, &[]);
    said.must_exit(0).must_print("path: \"/checkout/v3/forms\"").must_print("extra: \"{{ order.locale }}\"");
}
