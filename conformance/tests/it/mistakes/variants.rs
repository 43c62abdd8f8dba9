//! Other ways to be right: none of them may turn anything red.

use super::all_harmless;

const FINAL: &str = "    result, _ = authorize(payment, payment[\"body\"], token)";
const FIRST: &str =
    "    result, answer = authorize(payment, {**payment[\"body\"], \"step_up_config\": step_up}, token)";
const TAKEN: &str = "return self.reply(202, {})";
const RETURN_URL: &str = "interaction[\"return_url\"] = order[\"redirect\"][\"returnUrl\"]";

#[test]
fn what_is_right_in_another_way_stays_green() {
    all_harmless(&[
        (
            "minimal final body, a while late, after reading the request; 204; raw colons; a reference of its own",
            &[
                (
                    FINAL,
                    "    klarna(\"GET\", payment[\"path\"].replace(\"authorize\", \"requests/\" + payment[\"request\"]))\n    time.sleep(0.2)\n    short = {name: payment[\"body\"][name] for name in (\"currency\", \"request_payment_transaction\")}\n    result, _ = authorize(payment, short, token)",
                ),
                (
                    "        payment[\"action\"] = action",
                    "        payment[\"action\"] = action\n        payment[\"request\"] = request[\"payment_request_id\"]",
                ),
                (TAKEN, "self.send_response(204)\n        return self.end_headers()"),
                ("urllib.parse.quote(merchant[\"klarnaAccount\"], safe=\"\")", "merchant[\"klarnaAccount\"]"),
                (
                    "\"payment_transaction_reference\": order[\"merchantReference\"]",
                    "\"payment_transaction_reference\": \"t-\" + uuid.uuid4().hex",
                ),
            ],
        ),
        (
            "no network data in the final call, which keeps step_up_config; 200; slow notifications, each twice; more headers",
            &[
                (
                    FINAL,
                    "    kept = {name: value for name, value in payment[\"body\"].items() if name != \"klarna_network_data\"}\n    result, _ = authorize(payment, {**kept, \"step_up_config\": payment[\"stepUp\"]}, token)",
                ),
                (
                    FIRST,
                    "    payment[\"stepUp\"] = step_up\n    result, answer = authorize(payment, {**payment[\"body\"], \"step_up_config\": step_up}, token)",
                ),
                (TAKEN, "return self.reply(200, {})"),
                ("def notify(payment):\n", "def notify(payment):\n    time.sleep(0.2)\n"),
                ("    later(notify, payment)", "    later(notify, payment)\n    later(notify, payment)"),
                (
                    "    headers.update(extra or {})",
                    "    headers.update(extra or {})\n    headers.update({\"X-Request-Id\": \"1\", \"Partner-Correlation-Id\": \"c\", \"Accept\": \"application/json\"})",
                ),
            ],
        ),
        (
            "a return hop of its own; the token read from Klarna; each end subscribed to by name; network data not checked for JSON",
            &[
                (
                    RETURN_URL,
                    "interaction[\"return_url\"] = f\"http://{HOST}:{PORT}/back?to=\" + urllib.parse.quote(order[\"redirect\"][\"returnUrl\"], safe=\"\")",
                ),
                (
                    "        if self.path == \"/alive\":",
                    "        if self.path.startswith(\"/back?to=\"):\n            self.send_response(303)\n            self.send_header(\"Location\", urllib.parse.unquote(self.path[9:]))\n            self.send_header(\"Content-Length\", \"0\")\n            return self.end_headers()\n        if self.path == \"/alive\":",
                ),
                (
                    FINAL,
                    "    _, read = klarna(\"GET\", payment[\"path\"].replace(\"authorize\", \"requests/\" + payment[\"request\"]))\n    token = read[\"state_context\"][\"klarna_network_session_token\"]\n    result, _ = authorize(payment, payment[\"body\"], token)",
                ),
                (
                    "        payment[\"action\"] = action",
                    "        payment[\"action\"] = action\n        payment[\"request\"] = request[\"payment_request_id\"]",
                ),
                (
                    "\"event_types\": [\"payment.request.state-change.*\"]",
                    "\"event_types\": [\"payment.request.state-change.\" + end for end in (\"completed\", \"declined\", \"canceled\", \"expired\")]",
                ),
                ("    json.dumps(json.loads(text), ensure_ascii=False).encode()\n", ""),
            ],
        ),
    ]);
}
