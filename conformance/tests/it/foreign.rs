//! An acquirer written in another language, with another API, bound by an adapter file alone.

use tempfile::TempDir;

use crate::suite::{root, run};

fn adapter() -> String {
    root().join("conformance/tests/foreign/adapter.yaml").display().to_string()
}

/// What only a run by TLS can tell; these speak plain http.
const BY_TLS: &str = "transport/tls/klarna-is-called-by-tls-by-its-name";

/// What this acquirer does not claim: it registers once, at its start.
const REGISTERS_ONCE: [&str; 3] = [
    "webhooks/rotation/what-klarna-has-forgotten-is-registered-again#1",
    "webhooks/rotation/what-klarna-has-forgotten-is-registered-again#2",
    "webhooks/rotation/what-klarna-has-forgotten-is-registered-again#3",
];

/// What it does not claim either: it answers "pending" when Klarna takes its time.
const AT_ONCE: &str =
    "initial-authorization/decisions/what-klarna-approves-at-once-stands-in-the-answer-to-the-create-call";

/// All that is not asked of it: these, and `others`, in the order of their names.
fn not_asked(others: &[&'static str]) -> Vec<&'static str> {
    [&[AT_ONCE], others, &[BY_TLS], &REGISTERS_ONCE].concat()
}

#[test]
fn an_acquirer_in_another_language_is_green() {
    let ran = run(&["--acquirer", &adapter(), "--seed", "7"]);
    ran.must_exit(0).must_say("foreign at http://").must_say("2 scenarios at once");
    let not_asked = not_asked(&[]);
    assert_eq!(ran.ended("not-applicable"), not_asked);
    assert_eq!(ran.ended("passed").len(), ran.statuses().len() - not_asked.len(), "{}", ran.all());
}

/// The same acquirer, claiming these modes, perhaps no notifications.
fn claiming(folder: &TempDir, modes: &str, without_notifications: bool) -> String {
    let folder_of = root().join("conformance/tests/foreign");
    let mut text = std::fs::read_to_string(folder_of.join("adapter.yaml")).unwrap();
    let all = "capabilities: [redirect, sdk,";
    assert!(text.contains(all), "the adapter claims both modes first");
    text = text.replace(all, &format!("capabilities: [{modes},"));
    if without_notifications {
        let at = text.find("\nnotifications:").unwrap();
        text.truncate(at + 1);
    }
    std::fs::copy(folder_of.join("acquirer.py"), folder.path().join("acquirer.py")).unwrap();
    let path = folder.path().join("adapter.yaml");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn without_notifications_the_partner_asks() {
    let folder = TempDir::new().unwrap();
    let adapter = claiming(&folder, "redirect, sdk", true);
    let ran = run(&["--acquirer", &adapter, "--seed", "7"]);
    ran.must_exit(0);
    let asks_for_notifications = [
        "partner/told/a-notification-that-did-not-get-through-comes-again#1",
        "partner/told/a-notification-that-did-not-get-through-comes-again#2",
        "partner/told/the-partner-is-notified",
    ];
    assert_eq!(ran.ended("not-applicable"), not_asked(&asks_for_notifications));
    ran.must_say("the adapter does not claim the capability \"notifications\"");
    let junit = ran.report("junit.xml");
    assert!(junit.contains("<skipped message=\"the adapter does not claim the capability"), "{junit}");
}

#[test]
fn an_acquirer_may_answer_pending_and_tell_the_partner_afterwards() {
    let folder = TempDir::new().unwrap();
    let adapter = claiming(&folder, "redirect, sdk", false);
    let program = folder.path().join("acquirer.py");
    let text = std::fs::read_to_string(&program).unwrap();
    let answer = "    return 200, view(payment)";
    assert!(text.contains(answer));
    let pending = "    shown = view(payment)\n    if \"action\" not in shown:\n        shown[\"resultCode\"] = \"Pending\"\n    return 200, shown";
    std::fs::write(&program, text.replacen(answer, pending, 1)).unwrap();
    let ran = run(&["--acquirer", &adapter, "--seed", "7", "--tags", "@AP-16 or @AP-17"]);
    ran.must_exit(0);
    assert!(
        ran.report("junit.xml").contains("the answer was &quot;pending&quot;"),
        "{}",
        ran.report("junit.xml")
    );
}

#[test]
fn one_mode_suffices() {
    let folder = TempDir::new().unwrap();
    let adapter = claiming(&folder, "sdk", false);
    let ran = run(&["--acquirer", &adapter, "--seed", "7"]);
    ran.must_exit(0);
    let elsewhere = ran.ended("not-applicable");
    assert!(
        elsewhere.iter().all(|id| {
            let elsewhere = id.contains("redirect-mode") || id.contains("return");
            elsewhere || not_asked(&[]).contains(&id.as_str())
        }),
        "{elsewhere:?}"
    );
    assert!(ran.ended("passed").contains(&"the-document/step-up-required".to_owned()));
}

#[test]
fn a_field_without_a_place_in_the_partner_api_is_not_asked_for() {
    let folder = TempDir::new().unwrap();
    let path = claiming(&folder, "redirect, sdk", false);
    let text = std::fs::read_to_string(&path).unwrap();
    let without = |text: String, line: &str| {
        assert!(text.contains(line), "{line}");
        text.replace(line, "")
    };
    let text = without(text, "            appReturnUrl: \"{{ order.app_return_url | omit }}\"\n");
    let text = without(text, "            state: \"{{ order.shipping_address.region | omit }}\"\n");
    std::fs::write(&path, text).unwrap();
    let ran = run(&["--acquirer", &path, "--seed", "7"]);
    ran.must_exit(0).must_say("the acquirer's API has no place for the region to ship to");
    let without_place = [
        "purchase-data/what-the-partner-gave/no-field-gets-lost#22",
        "step-up/purchase-journey/a-customer-of-the-partners-app-is-led-back-to-the-app",
    ];
    assert_eq!(ran.ended("not-applicable"), not_asked(&without_place));
}
