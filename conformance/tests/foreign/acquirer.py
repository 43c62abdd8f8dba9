#!/usr/bin/env python3
"""A small sound acquirer whose API is unlike that of the reference acquirer.

It shows that an adapter file alone binds the suite to a program in another language: nested
camelCase JSON, decimal amounts as text, a resultCode in the body, X-API-Key, one notification URL
for all merchants, notifications signed with HMAC-SHA256 in hexadecimal. Standard library only.

Environment: KLARNA_BASE_URL, KLARNA_API_KEY, ACQUIRER_LISTEN, PARTNER_NOTIFICATION_URL, and
MERCHANTS, a JSON file. It keeps everything in memory: it is a test double, not a product.
"""

import hashlib
import hmac
import json
import os
import queue
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
import uuid
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KLARNA = os.environ["KLARNA_BASE_URL"].rstrip("/")
API_KEY = os.environ["KLARNA_API_KEY"]
HOST, PORT = os.environ["ACQUIRER_LISTEN"].rsplit(":", 1)
NOTIFY = os.environ["PARTNER_NOTIFICATION_URL"]
with open(os.environ["MERCHANTS"], encoding="utf-8") as merchants_file:
    MERCHANTS = {merchant["apiKey"]: merchant for merchant in json.load(merchants_file)}

METADATA = json.dumps({"integrator": {"name": "FOREIGN_ACQUIRER", "session_reference": str(uuid.uuid4())}})
DIGITS = {"JPY": 0, "KRW": 0, "KWD": 3}
SIGNING_KEYS = {}
LOCK = threading.Lock()
PAYMENTS = {}
BY_REQUEST = {}
EARLY_EVENTS = {}
SEEN_EVENTS = set()
WORK = queue.Queue()
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def log(*words):
    print(*words, file=sys.stderr, flush=True)


def call(method, url, body, headers, tries=4):
    """One HTTP call, repeated with the same bytes while the other side is in trouble."""
    for attempt in range(1, tries + 1):
        request = urllib.request.Request(url, data=body, method=method, headers=headers)
        try:
            with OPENER.open(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
            if status < 500 and status != 429:
                return status, content
        except OSError as error:
            status, content = 0, str(error).encode()
        log("attempt", attempt, method, urllib.parse.urlsplit(url).path, "gave", status)
        threading.Event().wait(0.05 * attempt)
    return status, content


def klarna(method, path, body=None, extra=None):
    headers = {"Authorization": "Basic " + API_KEY, "Klarna-Integration-Metadata": METADATA}
    if method == "POST":
        headers["Klarna-Idempotency-Key"] = str(uuid.uuid4())
    data = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps(body).encode()
    headers.update(extra or {})
    status, content = call(method, KLARNA + path, data, headers)
    return status, (json.loads(content) if content[:1] in (b"{", b"[") else {})


def register():
    """A signing key and a webhook of our own, before anybody is served."""
    status, key = klarna("POST", "/v2/notification/signing-keys")
    if status != 201:
        sys.exit(f"Klarna gives no signing key: {status} {key}")
    SIGNING_KEYS[key["signing_key_id"]] = key["signing_key"].encode()
    status, answer = klarna("POST", "/v2/notification/webhooks", {
        "url": f"http://{HOST}:{PORT}/klarna/events",
        "event_types": ["payment.request.state-change.*"],
        "event_version": "v2",
        "signing_key_id": key["signing_key_id"],
        "status": "ENABLED",
    })
    if status != 201:
        sys.exit(f"Klarna takes no webhook: {status} {answer}")


def minor(text, currency):
    """A decimal amount as minor units."""
    scaled = Decimal(text).scaleb(DIGITS.get(currency, 2))
    if scaled != scaled.to_integral_value():
        raise ValueError("amount")
    return int(scaled)


def address(of):
    named = {
        "street_address": of["street"],
        "postal_code": of["zip"],
        "city": of["town"],
        "region": of.get("state"),
        "country": of["countryCode"],
    }
    return {name: value for name, value in named.items() if value is not None}


def authorize_body(order):
    """What Klarna is asked. The network data is a string that passes through untouched."""
    currency = order["amount"]["currency"]
    shopper = order["shopper"]
    person = {"given_name": shopper["firstName"], "family_name": shopper["lastName"]}
    contact = {"email": shopper["emailAddress"], "phone": shopper["phoneNumber"]}
    body = {
        "currency": currency,
        "request_payment_transaction": {
            "amount": minor(order["amount"]["value"], currency),
            "payment_transaction_reference": order["merchantReference"],
        },
        "supplementary_purchase_data": {
            "purchase_reference": order["orderNumber"],
            "line_items": [
                {
                    "name": item["label"],
                    "quantity": item["count"],
                    "unit_price": minor(item["unitPrice"], currency),
                    "total_amount": minor(item["lineTotal"], currency),
                    "total_tax_amount": minor(item["taxTotal"], currency),
                    "line_item_reference": item["sku"],
                }
                for item in order["basket"]
            ],
            "customer": {**person, **contact, "address": address(order["billing"])},
            "shipping": [{
                "shipping_reference": "1",
                "recipient": {**person, **contact},
                "address": address(order["delivery"]),
            }],
        },
    }
    details = order["paymentMethod"].get("details", {}).get("klarna", {})
    if details.get("networkData") is not None:
        body["klarna_network_data"] = details["networkData"]
    interaction = {"method": "SDK" if order["channel"] == "SDK" else "HANDOVER"}
    interaction["return_url"] = order["redirect"]["returnUrl"]
    if order["redirect"].get("appReturnUrl"):
        interaction["app_return_url"] = order["redirect"]["appReturnUrl"]
    step_up = {"payment_request_reference": order["merchantReference"], "customer_interaction_config": interaction}
    return body, step_up, details.get("sessionToken")


def create(merchant, order):
    body, step_up, token = authorize_body(order)
    payment = {
        "pspReference": "psp_" + uuid.uuid4().hex,
        "merchantReference": order["merchantReference"],
        "merchant": merchant,
        "body": body,
        "resultCode": "Pending",
        "finalised": False,
    }
    account = urllib.parse.quote(merchant["klarnaAccount"], safe="")
    payment["path"] = f"/v2/accounts/{account}/payment/authorize"
    extra = {"Klarna-Network-Session-Token": token} if token else {}
    with LOCK:
        PAYMENTS[payment["pspReference"]] = payment
    status, answer = klarna("POST", payment["path"], {**body, "step_up_config": step_up}, extra)
    result = answer.get("payment_transaction_response", {}).get("result") if status == 200 else None
    if result == "STEP_UP_REQUIRED":
        request = answer["payment_request"]
        interaction = request["state_context"]["customer_interaction"]
        payment["action"] = {
            "kind": "sdk" if order["channel"] == "SDK" else "redirect",
            "location": interaction["payment_request_url"],
            "sdk": {"requestId": interaction.get("payment_request_id", request["payment_request_id"])},
        }
        with LOCK:
            payment["resultCode"] = "ActionRequired"
            BY_REQUEST[request["payment_request_id"]] = payment
            early = EARLY_EVENTS.pop(request["payment_request_id"], [])
        shown = view(payment, with_action=True)
        for event in early:
            WORK.put(event)
        return 200, shown
    settle(payment, result)
    if answer.get("klarna_network_response_data") is not None:
        payment["responseData"] = answer["klarna_network_response_data"]
    return 200, view(payment)


def view(payment, with_action=False):
    with LOCK:
        shown = {name: payment[name] for name in ("pspReference", "merchantReference", "resultCode")}
    if with_action:
        shown["action"] = payment["action"]
    if "responseData" in payment:
        shown["additionalData"] = {"klarna": {"responseData": payment["responseData"]}}
    return shown


def settle(payment, result):
    """Write down how it ended and tell the merchant, once."""
    code = {"APPROVED": "Authorised", "DECLINED": "Refused", "CANCELED": "Cancelled", "EXPIRED": "Expired"}
    with LOCK:
        if payment["resultCode"] in code.values():
            return
        payment["resultCode"] = code.get(result, "Error")
    WORK.put({"notify": payment})


def notify(payment):
    item = {
        "eventCode": "AUTHORISATION",
        "pspReference": payment["pspReference"],
        "merchantReference": payment["merchantReference"],
        "success": "true" if payment["resultCode"] == "Authorised" else "false",
        "reason": payment["resultCode"],
    }
    body = json.dumps({"live": "false", "notificationItems": [item]}).encode()
    signature = hmac.new(payment["merchant"]["hmacKey"].encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Signature": "sha256=" + signature}
    status, _ = call("POST", NOTIFY, body, headers)
    if not 200 <= status < 300:
        log("the merchant was not told of", payment["pspReference"], "status", status)


def finalise(payment, token):
    """The second authorize: same data, no step_up_config, the webhook's token in the header."""
    with LOCK:
        if payment["finalised"]:
            return
        payment["finalised"] = True
    status, answer = klarna("POST", payment["path"], payment["body"], {"Klarna-Network-Session-Token": token})
    result = answer.get("payment_transaction_response", {}).get("result") if status == 200 else None
    settle(payment, result)


def handle_event(event):
    payload = event.get("payload", {})
    request_id = payload.get("payment_request_id")
    with LOCK:
        payment = BY_REQUEST.get(request_id)
        if payment is None:
            EARLY_EVENTS.setdefault(request_id, []).append(event)
            return
    state = payload.get("state")
    context = payload.get("state_context") or {}
    token = payload.get("klarna_network_session_token") or context.get("klarna_network_session_token")
    if state == "COMPLETED" and token:
        finalise(payment, token)
    elif state in ("DECLINED", "CANCELED", "EXPIRED"):
        settle(payment, state)


def worker():
    while True:
        work = WORK.get()
        try:
            if "notify" in work:
                notify(work["notify"])
            else:
                handle_event(work)
        except Exception as error:  # one bad event must not end the worker
            log("work failed:", repr(error))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def reply(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def merchant(self):
        found = MERCHANTS.get(self.headers.get("X-API-Key", ""))
        if found is None:
            self.reply(401, {"resultCode": "Invalid", "errors": [{"field": "X-API-Key", "problem": "unknown"}]})
        return found

    def do_GET(self):
        if self.path == "/alive":
            return self.reply(200, {"alive": True})
        merchant = self.merchant()
        if merchant is None:
            return None
        with LOCK:
            payment = PAYMENTS.get(self.path.rsplit("/", 1)[-1])
        if payment is None or payment["merchant"] is not merchant:
            return self.reply(404, {"resultCode": "Invalid", "errors": [{"field": "pspReference", "problem": "unknown"}]})
        return self.reply(200, view(payment))

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/klarna/events":
            return self.event(raw)
        merchant = self.merchant()
        if merchant is None:
            return None
        try:
            return self.reply(*create(merchant, json.loads(raw)))
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            return self.reply(422, {"resultCode": "Invalid", "errors": [{"field": str(error), "problem": "wrong"}]})

    def event(self, raw):
        key = SIGNING_KEYS.get(self.headers.get("Klarna-Signing-Key-Id", ""))
        claimed = self.headers.get("Klarna-Signature", "")
        if key is None or not hmac.compare_digest(hmac.new(key, raw, hashlib.sha256).hexdigest(), claimed):
            return self.reply(400, {"problem": "signature"})
        event = json.loads(raw)
        with LOCK:
            fresh = event["metadata"]["event_id"] not in SEEN_EVENTS
            SEEN_EVENTS.add(event["metadata"]["event_id"])
        if fresh:
            WORK.put(event)
        return self.reply(202, {})


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    # Bound before Klarna knows the address; served once Klarna has taken the webhook.
    server = Server((HOST, int(PORT)), Handler)
    register()
    for _ in range(4):
        threading.Thread(target=worker, daemon=True).start()
    log("serving", len(MERCHANTS), "merchants")
    server.serve_forever()


if __name__ == "__main__":
    main()
