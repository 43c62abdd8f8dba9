#!/usr/bin/env python3
"""A small sound acquirer whose API is unlike that of the reference acquirer.

It shows that an adapter file alone binds the suite to a program in another language: nested
camelCase JSON, decimal amounts as text, a resultCode in the body, X-API-Key, one notification URL
for all merchants, notifications signed with HMAC-SHA256 in hexadecimal. Standard library only.

Environment: KLARNA_BASE_URL, KLARNA_API_KEY, ACQUIRER_LISTEN, PARTNER_NOTIFICATION_URL, and
MERCHANTS, a JSON file; KLARNA_CA_FILE, where Klarna speaks https; ANSWER_MS and KLARNA_TIMEOUT_MS,
which have defaults. It keeps everything in memory: it is a test double, not a product.
"""

import hashlib
import hmac
import http.client
import json
import os
import random
import re
import ssl
import sys
import threading
import time
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
ANSWER_S = int(os.environ.get("ANSWER_MS", "3000")) / 1000
KLARNA_TIMEOUT_S = int(os.environ.get("KLARNA_TIMEOUT_MS", "10000")) / 1000
TRIES = 6
LARGEST_BODY = 1 << 20
with open(os.environ["MERCHANTS"], encoding="utf-8") as merchants_file:
    MERCHANTS = {merchant["apiKey"]: merchant for merchant in json.load(merchants_file)}

METADATA = json.dumps({"integrator": {"name": "FOREIGN_ACQUIRER", "session_reference": str(uuid.uuid4())}})
DIGITS = {"JPY": 0, "KRW": 0, "KWD": 3}
CODES = {"APPROVED": "Authorised", "DECLINED": "Refused", "CANCELED": "Cancelled", "EXPIRED": "Expired"}
SIGNING_KEYS = {}
LOCK = threading.Lock()
PAYMENTS = {}
STATUSES = {True: "Done", False: "Refused", None: "Error"}
BY_REQUEST = {}
EARLY_EVENTS = {}
SEEN_EVENTS = set()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: nothing is sent anywhere else."""

    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(
    urllib.request.ProxyHandler({}),
    # Klarna may speak https by an authority that nobody else trusts.
    urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=os.environ.get("KLARNA_CA_FILE"))),
    NoRedirect,
)


def log(*words):
    print(*words, file=sys.stderr, flush=True)


def later(work, *args):
    """Does work in a thread of its own; the event that comes back says when it is done."""
    done = threading.Event()

    def run():
        try:
            work(*args)
        except Exception as error:  # what goes wrong here is not to be lost with its thread
            log("work failed:", work.__name__, repr(error))
        done.set()

    threading.Thread(target=run, daemon=True).start()
    return done


def once(method, url, body, headers, timeout):
    """Status, body and the pause that the other side asks for. Status 0 is no answer."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with OPENER.open(request, timeout=timeout) as answer:
            return answer.status, answer.read(), 0
    except urllib.error.HTTPError as error:
        reset = error.headers.get("X-Ratelimit-Reset", "1") if error.code == 429 else "0"
        return error.code, error.read(), float(reset)
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error).encode(), 0


def in_trouble(status):
    return status in (0, 429) or status >= 500


def call(method, url, body, headers, timeout=10, again=in_trouble):
    """One HTTP call, made again with the same bytes while the other side is in trouble."""
    for attempt in range(TRIES):
        status, content, asked = once(method, url, body, headers, timeout)
        if not again(status):
            break
        log("attempt", attempt + 1, method, urllib.parse.urlsplit(url).path, "gave", status or content)
        if attempt + 1 < TRIES:
            time.sleep(max(asked, 0.1 * 2**attempt) * random.uniform(1, 1.2))
    return status, content


def klarna(method, path, body=None, extra=None, timeout=KLARNA_TIMEOUT_S):
    headers = {"Authorization": "Basic " + API_KEY, "Klarna-Integration-Metadata": METADATA}
    if method == "POST":
        headers["Klarna-Idempotency-Key"] = str(uuid.uuid4())
    data = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps(body).encode()
    headers.update(extra or {})
    status, content = call(method, KLARNA + path, data, headers, timeout)
    try:
        answer = json.loads(content)
    except ValueError:
        answer = {}
    return status, answer if isinstance(answer, dict) else {}


def register():
    """A signing key and a webhook of our own, before anybody is served; nobody waits for these calls."""
    status, key = klarna("POST", "/v2/notification/signing-keys", timeout=10)
    if status != 201:
        sys.exit(f"Klarna gives no signing key: {status} {key}")
    SIGNING_KEYS[key["signing_key_id"]] = key["signing_key"].encode()
    status, answer = klarna("POST", "/v2/notification/webhooks", {
        "url": f"http://{HOST}:{PORT}/klarna/events",
        "event_types": ["payment.request.state-change.*"],
        "event_version": "v2",
        "signing_key_id": key["signing_key_id"],
        "status": "ENABLED",
    }, timeout=10)
    if status != 201:
        sys.exit(f"Klarna takes no webhook: {status} {answer}")


def minor(text, currency, least=None):
    """A decimal amount as minor units."""
    scaled = Decimal(text).scaleb(DIGITS.get(currency, 2))
    if scaled != scaled.to_integral_value() or (least is not None and scaled < least):
        raise ValueError("amount")
    return int(scaled)


def check_network_data(text):
    """Size and that it is JSON: nothing else of it is looked at, and nothing is changed."""
    if not isinstance(text, str) or len(text) > 10240:
        raise ValueError("networkData")
    json.dumps(json.loads(text), ensure_ascii=False).encode()


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
    if not re.fullmatch("[A-Z]{3}", currency):
        raise ValueError("amount.currency")
    shopper = order["shopper"]
    person = {"given_name": shopper["firstName"], "family_name": shopper["lastName"]}
    contact = {"email": shopper["emailAddress"], "phone": shopper["phoneNumber"]}
    body = {
        "currency": currency,
        "request_payment_transaction": {
            "amount": minor(order["amount"]["value"], currency, least=1),
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
                "recipient": {
                    "given_name": order["delivery"]["firstName"],
                    "family_name": order["delivery"]["lastName"],
                },
                "address": address(order["delivery"]),
            }],
        },
    }
    details = order["paymentMethod"].get("details", {}).get("klarna", {})
    if details.get("networkData") is not None:
        check_network_data(details["networkData"])
        body["klarna_network_data"] = details["networkData"]
    if details.get("optionKey") is not None:
        if not isinstance(details["optionKey"], str):
            raise ValueError("optionKey")
        body["request_payment_transaction"]["payment_option_id"] = details["optionKey"]
    interaction = {"method": "SDK" if order["channel"] == "SDK" else "HANDOVER"}
    if not re.fullmatch(r"https?://[^\s/]\S*", order["redirect"]["returnUrl"]):
        raise ValueError("redirect.returnUrl")
    interaction["return_url"] = order["redirect"]["returnUrl"]
    if order["redirect"].get("appReturnUrl"):
        interaction["app_return_url"] = order["redirect"]["appReturnUrl"]
    step_up = {"payment_request_reference": order["merchantReference"], "customer_interaction_config": interaction}
    return body, step_up, details.get("sessionToken")


def present(merchant, wanted):
    """What Klarna would have shown of itself, or nothing. Asked once: a checkout waits for it."""
    currency = wanted["amount"]["currency"]
    query = urllib.parse.urlencode({
        "currency": currency,
        "locale": wanted["shopperLocale"],
        "amount": minor(wanted["amount"]["value"], currency, least=1),
        "intents[]": "PAY",
    })
    account = urllib.parse.quote(merchant["klarnaAccount"], safe="")
    headers = {"Authorization": "Basic " + API_KEY, "Klarna-Integration-Metadata": METADATA}
    token = wanted.get("klarna", {}).get("sessionToken")
    if token is not None:
        headers["Klarna-Network-Session-Token"] = token
    url = f"{KLARNA}/v2/accounts/{account}/payment/presentation?{query}"
    status, content, _ = once("GET", url, None, headers, KLARNA_TIMEOUT_S)
    try:
        answer = json.loads(content) if 200 <= status < 300 else {}
        return answer if "payment_option_id" in answer["payment_option"] else {}
    except (KeyError, TypeError, ValueError):
        return {}


def forms(merchant, wanted):
    """What a checkout lists: cards, and Klarna where it lets itself be shown."""
    if wanted.get("klarna", {}).get("networkData") is not None:
        check_network_data(wanted["klarna"]["networkData"])
    listed = [{"kind": "scheme", "label": "Cards"}]
    shown = present(merchant, wanted)
    if shown and shown["instruction"] != "HIDE_KLARNA":
        option = shown["payment_option"]
        listed.append({
            "kind": "klarna_network",
            "directive": shown["instruction"],
            "optionKey": option["payment_option_id"],
            "label": option["header"]["text"],
            "sublabel": option["subheader"]["text"],
            "logo": option["icon"]["badge_image_url"],
        })
    return 200, {"resultCode": "Listed", "methods": listed}


def create(merchant, order):
    body, step_up, token = authorize_body(order)
    payment = {
        "pspReference": "psp_" + uuid.uuid4().hex,
        "merchantReference": order["merchantReference"],
        "merchant": merchant,
        "body": body,
        "resultCode": "Pending",
        "finalised": False,
        "moves": {},
    }
    account = urllib.parse.quote(merchant["klarnaAccount"], safe="")
    payment["root"] = f"/v2/accounts/{account}/payment"
    payment["path"] = f"{payment['root']}/authorize"
    with LOCK:
        PAYMENTS[payment["pspReference"]] = payment
    # Klarna may take its time: after a while the merchant is answered "Pending", and notified later.
    later(begin, payment, step_up, token).wait(ANSWER_S)
    return 200, view(payment)


def authorize(payment, body, token):
    """Klarna's decision, or None where there is none, and all that it answered."""
    extra = {"Klarna-Network-Session-Token": token} if token else {}
    status, answer = klarna("POST", payment["path"], body, extra)
    decided = answer.get("payment_transaction_response", {}) if 200 <= status < 300 else {}
    if "payment_transaction" in decided:
        payment["transaction"] = decided["payment_transaction"]["payment_transaction_id"]
    return decided.get("result"), answer


def begin(payment, step_up, token):
    """The first authorize. The token, if any, is the one that the merchant had."""
    result, answer = authorize(payment, {**payment["body"], "step_up_config": step_up}, token)
    if answer.get("klarna_network_response_data") is not None:
        payment["responseData"] = answer["klarna_network_response_data"]
    if result != "STEP_UP_REQUIRED":
        return settle(payment, result)
    request = answer["payment_request"]
    interaction = request["state_context"]["customer_interaction"]
    action = {
        "kind": "sdk" if step_up["customer_interaction_config"]["method"] == "SDK" else "redirect",
        "location": interaction["payment_request_url"],
        "sdk": {"requestId": interaction.get("payment_request_id", request["payment_request_id"])},
    }
    with LOCK:
        payment["action"] = action
        payment["request"] = request["payment_request_id"]
        payment["resultCode"] = "ActionRequired"
        BY_REQUEST[request["payment_request_id"]] = payment
        early = EARLY_EVENTS.pop(request["payment_request_id"], [])
    for event in early:
        later(handle_event, event)


def finalise(payment, token):
    """The second authorize: same data, no step_up_config, the webhook's token in the header."""
    with LOCK:
        if payment["finalised"]:
            return
        payment["finalised"] = True
    result, _ = authorize(payment, payment["body"], token)
    settle(payment, result)


def afterwards(payment, act, asked, key):
    """A capture, a refund or a cancel. The same again under its key is the same one."""
    wanted = "ActionRequired" if act == "cancels" else "Authorised"
    if key is None or payment["resultCode"] != wanted:
        return 409, {"status": "Refused"}
    with LOCK:
        fresh = key not in payment["moves"]
        move = payment["moves"].setdefault(key, {"status": "Received", "done": threading.Event()})
    if fresh:
        later(call_off if act == "cancels" else move_money, payment, act, asked, move)
    move["done"].wait(ANSWER_S)
    return 200, {name: move[name] for name in ("status", "captureReference") if name in move}


def move_money(payment, act, asked, move):
    """One logical call to Klarna, whatever trouble it meets; a refund goes by its capture."""
    amount = minor(asked["amount"]["value"], asked["amount"]["currency"], least=1)
    reference = asked["reference"]
    if act == "captures":
        path = f"{payment['root']}/transactions/{urllib.parse.quote(payment['transaction'], safe='')}/capture"
        body = {"capture_amount": amount, "payment_capture_reference": reference}
    else:
        path = f"{payment['root']}/captures/{urllib.parse.quote(asked['captureReference'], safe='')}/refund"
        body = {"refund_amount": amount, "payment_refund_reference": reference}
    status, answer = klarna("POST", path, body)
    if "payment_capture_id" in answer:
        move["captureReference"] = answer["payment_capture_id"]
    came_to(move, status)


def call_off(payment, _act, _asked, move):
    path = f"{payment['root']}/requests/{urllib.parse.quote(payment['request'], safe='')}"
    status, _ = klarna("DELETE", path)
    if 200 <= status < 300:
        settle(payment, "CANCELED")
    came_to(move, status)


def came_to(move, status):
    move["status"] = STATUSES[True if 200 <= status < 300 else None if in_trouble(status) else False]
    move["done"].set()


def view(payment):
    with LOCK:
        shown = {name: payment[name] for name in ("pspReference", "merchantReference", "resultCode")}
        if payment["resultCode"] == "ActionRequired":
            shown["action"] = payment["action"]
        if "responseData" in payment:
            shown["additionalData"] = {"klarna": {"responseData": payment["responseData"]}}
    return shown


def settle(payment, result):
    """Write down how it ended and tell the merchant, once. Only "APPROVED" is an approval."""
    with LOCK:
        if payment["resultCode"] in (*CODES.values(), "Error"):
            return
        payment["resultCode"] = CODES.get(result, "Error")
    later(notify, payment)


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
    # Whatever else than a yes the merchant answers, it does not know yet.
    status, _ = call("POST", NOTIFY, body, headers, again=lambda status: not 200 <= status < 300)
    if not 200 <= status < 300:
        log("the merchant was not told of", payment["pspReference"], "status", status)


def handle_event(event):
    payload = event.get("payload", {})
    request_id = payload.get("payment_request_id")
    with LOCK:
        payment = BY_REQUEST.get(request_id)
        if payment is None:
            if len(EARLY_EVENTS) < 1000:
                EARLY_EVENTS.setdefault(request_id, []).append(event)
            return
    if event["metadata"].get("subject_account_id") != payment["merchant"]["klarnaAccount"]:
        return log("an event about", request_id, "names another account")
    state = payload.get("state")
    context = payload.get("state_context") or {}
    token = payload.get("klarna_network_session_token") or context.get("klarna_network_session_token")
    if state == "COMPLETED" and token:
        finalise(payment, token)
    elif state in ("DECLINED", "CANCELED", "EXPIRED") and not payment["finalised"]:
        settle(payment, state)


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
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self.close_connection = True
            return self.reply(413, {"resultCode": "Invalid", "errors": [{"field": "body", "problem": "too long"}]})
        raw = self.rfile.read(length)
        if self.path == "/klarna/events":
            return self.event(raw)
        merchant = self.merchant()
        if merchant is None:
            return None
        try:
            move = re.fullmatch("/checkout/v3/payments/([^/]+)/(captures|refunds|cancels)", self.path)
            if move:
                return self.afterwards(merchant, *move.groups(), json.loads(raw or b"{}"))
            asked = forms if self.path == "/checkout/v3/forms" else create
            return self.reply(*asked(merchant, json.loads(raw)))
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            return self.reply(422, {"resultCode": "Invalid", "errors": [{"field": str(error), "problem": "wrong"}]})

    def afterwards(self, merchant, reference, act, asked):
        with LOCK:
            payment = PAYMENTS.get(reference)
        if payment is None or payment["merchant"] is not merchant:
            return self.reply(404, {"status": "Refused"})
        return self.reply(*afterwards(payment, act, asked, self.headers.get("X-Idempotency-Key")))

    def event(self, raw):
        key = SIGNING_KEYS.get(self.headers.get("Klarna-Signing-Key-Id", ""))
        claimed = self.headers.get("Klarna-Signature", "")
        if key is None or not hmac.compare_digest(hmac.new(key, raw, hashlib.sha256).hexdigest(), claimed):
            return self.reply(400, {"problem": "signature"})
        try:
            event = json.loads(raw)
            event_id = event["metadata"]["event_id"]
        except (KeyError, TypeError, ValueError):
            return self.reply(400, {"problem": "no event"})
        with LOCK:
            fresh = event_id not in SEEN_EVENTS
            SEEN_EVENTS.add(event_id)
        if fresh:
            later(handle_event, event)
        return self.reply(202, {})


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    # Bound before Klarna knows the address; served once Klarna has taken the webhook.
    server = Server((HOST, int(PORT)), Handler)
    register()
    log("serving", len(MERCHANTS), "merchants")
    server.serve_forever()


if __name__ == "__main__":
    main()
