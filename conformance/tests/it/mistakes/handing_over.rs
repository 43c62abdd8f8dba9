//! What the Partner and the Customer get of a step-up.

use super::{IN_REDIRECT_MODE, IN_SDK_MODE, changed, play, shows};

#[test]
fn a_url_that_is_not_klarnas() {
    let from = "\"location\": interaction[\"payment_request_url\"],";
    let to = "\"location\": interaction[\"payment_request_url\"] + \"?utm=1\",";
    shows(from, to, IN_REDIRECT_MODE, "step-up.url-handed-over")
        .must_say("what the Partner got is not Klarna's");
}

/// The acquirer with hops of its own in front of Klarna's URL: each is the code that answers `GET`, by
/// what the path ends with, and `klarna` in it is that URL.
fn with_hops(first: &str, hops: &str) -> String {
    let serve = format!(
        "        if self.path.startswith(\"/go/\"):\n            _, _, kind, psp = self.path.split(\"?\")[0].split(\"/\")\n            klarna = PAYMENTS[psp][\"klarna\"]\n{hops}\n        if self.path == \"/alive\":"
    );
    let posted = "        if self.path.startswith(\"/go/\"):\n            return self.do_GET()\n        if self.path == \"/klarna/events\":";
    let page = "    def page(self, text):\n        content = text.encode()\n        self.send_response(200)\n        self.send_header(\"Content-Type\", \"text/html; charset=utf-8\")\n        self.send_header(\"Content-Length\", str(len(content)))\n        self.end_headers()\n        self.wfile.write(content)\n\n    def redirect(self, status, to):\n        self.send_response(status)\n        self.send_header(\"Location\", to)\n        self.send_header(\"Content-Length\", \"0\")\n        self.end_headers()\n\n    def do_GET(self):\n";
    let location =
        format!("\"location\": f\"http://{{HOST}}:{{PORT}}/go/{first}/{{payment['pspReference']}}\",");
    changed(&[
        ("        if self.path == \"/alive\":", &serve),
        ("        if self.path == \"/klarna/events\":", posted),
        ("    def do_GET(self):\n", page),
        ("\"location\": interaction[\"payment_request_url\"],", &location),
        (
            "    with LOCK:\n        payment[\"action\"] = action",
            "    payment[\"klarna\"] = interaction[\"payment_request_url\"]\n    with LOCK:\n        payment[\"action\"] = action",
        ),
    ])
}

/// A redirect, a refresh, a form that posts itself, and a script.
const HOPS: &str = r#"            if kind == "a":
                return self.redirect(302, f"/go/b/{psp}?step=1")
            if kind == "b":
                return self.page(f"<base href='/go/'><!-- <meta http-equiv=refresh content='0;url=/no'> --><meta http-equiv='refresh' content='0; url=c/{psp}?x=1&amp;y=2'>")
            if kind == "c":
                return self.page(f"<body onload='document.forms[0].submit()'><form method=post action='/go/d/{psp}'><input type=hidden name=MD value='1'><noscript><input type=submit></noscript></form>")
            if kind == "d" and self.command == "POST":
                return self.redirect(307, f"/go/e/{psp}")
            if kind == "e" and self.command == "POST":
                return self.page(f"<script>window.location.replace({json.dumps(klarna)})</script>")"#;

#[test]
fn a_url_that_leads_to_klarnas_is_no_mistake() {
    let ran = play(&with_hops("a", HOPS), &[IN_REDIRECT_MODE]);
    ran.must_exit(0);
    let junit = ran.report("junit.xml");
    assert!(junit.contains("the acquirer wraps Klarna&apos;s URL"), "{junit}");
    for how in ["(302)", "(refresh)", "(form, POST)", "(307)", "(script)"] {
        assert!(junit.contains(&format!("→ {how} http")), "{how}: {junit}");
    }
}

#[test]
fn hops_that_end_elsewhere() {
    for (from, to, said) in [
        ("{json.dumps(klarna)}", "{json.dumps(klarna + '?utm=1')}", "?utm=1)"),
        ("f\"/go/e/{psp}\"", "f\"/go/d/{psp}\"", "20 hops do not end there"),
        ("onload='", "onclick='", "→ (refresh) http"),
        ("method=post action='/go/d/{psp}'", "method=post action='{klarna}'", "→ (form, POST) http"),
        ("0; url=c/{psp}", "0; url=/go/x/{psp}", "runs no scripts"),
    ] {
        assert!(HOPS.contains(from), "{from}");
        let ran = play(&with_hops("a", &HOPS.replace(from, to)), &[IN_REDIRECT_MODE]);
        ran.must_exit(1).must_say(said);
        assert_eq!(ran.failing(IN_REDIRECT_MODE), ["step-up.url-handed-over"], "{}", ran.all());
    }
}

#[test]
fn no_url_at_all() {
    let from = "\"location\": interaction[\"payment_request_url\"],";
    shows(from, "", IN_REDIRECT_MODE, "step-up.url-handed-over").must_say("carries no payment_request_url");
}

#[test]
fn an_id_that_is_not_klarnas() {
    let from = "interaction.get(\"payment_request_id\", request[\"payment_request_id\"])";
    shows(from, "payment[\"pspReference\"]", IN_SDK_MODE, "step-up.id-handed-over");
}

#[test]
fn a_customer_who_is_lost() {
    let from = "interaction[\"return_url\"] = order[\"redirect\"][\"returnUrl\"]";
    let to = "interaction[\"return_url\"] = f\"http://{HOST}:{PORT}/alive\"";
    shows(from, to, IN_REDIRECT_MODE, "customer.comes-home")
        .must_say("does not come back to the Partner's return_url");
}

#[test]
fn a_purchase_journey_that_nobody_needs() {
    let from = "            shown[\"action\"] = payment[\"action\"]";
    let to = "            shown[\"action\"] = payment[\"action\"]\n        else:\n            shown[\"action\"] = {\"location\": \"http://127.0.0.1/x\"}";
    shows(from, to, "the-document/transaction-approved", "step-up.not-handed-over");
}

#[test]
fn response_data_that_does_not_come_as_it_was() {
    const FROM: &str =
        "shown[\"additionalData\"] = {\"klarna\": {\"responseData\": payment[\"responseData\"]}}";
    const ROWS: &str = "network-data/response-data/reaches-the-partner-byte-for-byte";
    let rewritten =
        FROM.replace("payment[\"responseData\"]", "json.dumps(json.loads(payment[\"responseData\"]))");
    for row in ["#1", "#2", "#3"] {
        shows(FROM, &rewritten, &format!("{ROWS}{row}"), "response-data.byte-equal");
    }
    shows(FROM, "pass", &format!("{ROWS}#3"), "response-data.byte-equal").must_say("does not get it");
}
