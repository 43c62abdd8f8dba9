#!/usr/bin/env python3
"""A gateway with forms in and JSON out, and two calls: a payment intent is made, then confirmed. Where
the customer goes stands in `next_action.redirect_to_url`, behind a page of the gateway's own whose
script leads on. Notifications carry time and signature in one header.
"""

import json
import secrets
import threading
import time

import gateway
from gateway import Answer, page

STATES = {
    "approved": "succeeded",
    "declined": "requires_payment_method",
    "failed": "requires_payment_method",
    "canceled": "canceled",
    "expired": "canceled",
    "step_up_required": "requires_action",
    "pending": "processing",
}
REASONS = {"declined": "payment_declined", "failed": "processing_error", "canceled": "abandoned", "expired": "expired"}
OPERATIONS = {"done": "succeeded", "pending": "pending", "failed": "failed"}
EVENTS = {
    "approved": "payment_intent.succeeded",
    "declined": "payment_intent.payment_failed",
    "failed": "payment_intent.payment_failed",
    "canceled": "payment_intent.canceled",
    "expired": "payment_intent.canceled",
}


def whole(text):
    """A number of a form: the form has texts only."""
    if not text.lstrip("-").isdecimal():
        raise ValueError(text)
    return int(text)


def address(of):
    return {
        "street_address": of["line1"],
        "postal_code": of["postal_code"],
        "city": of["city"],
        "region": of.get("state"),
        "country": of["country"],
    }


def order_of(made, confirmed):
    """Both calls together make the order."""
    buyer, shipping = confirmed["billing_details"], made["shipping"]
    own = confirmed.get("klarna_network", {})
    return {
        "reference": made["metadata"]["order_id"],
        "amount": whole(made["amount"]),
        "currency": made["currency"].upper(),
        "purchase_reference": made["metadata"]["order_number"],
        "order_lines": [
            {
                "name": item["name"],
                "quantity": whole(item["quantity"]),
                "unit_price": whole(item["unit_amount"]),
                "total_amount": whole(item["total_amount"]),
                "total_tax_amount": whole(item["tax_amount"]),
                "reference": item["product_code"],
            }
            for _, item in sorted(made["line_items"].items(), key=lambda numbered: int(numbered[0]))
        ],
        "customer": {
            "given_name": buyer["first_name"],
            "family_name": buyer["last_name"],
            "email": buyer["email"],
            "phone": buyer["phone"],
        },
        "billing_address": address(buyer["address"]),
        "shipping_address": {
            "given_name": shipping["first_name"],
            "family_name": shipping["last_name"],
            **address(shipping["address"]),
        },
        "return_url": confirmed["return_url"],
        "app_return_url": confirmed.get("app_return_url"),
        "mode": "sdk" if confirmed.get("use_sdk") == "true" else "redirect",
        "klarna_network_data": own.get("data"),
        "klarna_network_session_token": own.get("session_token"),
        "payment_option_id": own.get("payment_option"),
    }


class FormTwoCalls(gateway.Face):
    def __init__(self):
        super().__init__()
        self.intents = {}
        self.by_order = {}
        self.lock = threading.Lock()

    def refuse(self, what, status=400):
        kind = "authentication_error" if status == 401 else "invalid_request_error"
        return Answer(status, {"error": {"type": kind, "message": what}})

    def answer(self, request):
        if request.path.startswith("/redirect/"):
            return self.lead_on(request.path.split("/")[2])
        key, _ = request.basic()
        merchant = next((one for one in self.merchants if one["secretKey"] == key), None)
        if merchant is None:
            return self.refuse("Invalid API Key provided", 401)
        path = request.path.removeprefix("/v1/").split("/")
        if request.method == "POST" and path == ["payment_intents"]:
            return self.make(merchant, gateway.nested(request.body))
        if request.method == "POST" and path == ["payment_method_previews"]:
            return self.methods(merchant, gateway.nested(request.body))
        form = gateway.nested(request.body) if request.method == "POST" else {}
        if path == ["refunds"]:
            # A refund is a resource of its own, and names the payment intent.
            path = ["payment_intents", form["payment_intent"], "refund"]
        if path[0] != "payment_intents" or len(path) < 2:
            return self.refuse("Unrecognized request URL", 404)
        intent = self.intents.get(path[1])
        if intent is None or intent["merchant"] is not merchant:
            return self.refuse("No such payment_intent", 404)
        if request.method == "POST" and path[2:] == ["confirm"]:
            return self.confirm(intent, form, request.headers.get("idempotency-key"))
        if request.method == "POST" and path[2:] in (["capture"], ["refund"], ["cancel"]):
            return self.operate(intent, path[2], form, request.headers.get("idempotency-key"))
        if request.method == "GET" and len(path) == 2:
            return self.read(intent)
        return self.refuse("Unrecognized request URL", 404)

    def make(self, merchant, asked):
        if whole(asked["amount"]) <= 0:
            return self.refuse("Invalid positive integer: amount")
        if len(asked["currency"]) != 3 or not asked["currency"].isalpha():
            return self.refuse("Invalid currency")
        intent = {"id": "pi_" + secrets.token_hex(12), "merchant": merchant, "made": asked, "payment": None}
        with self.lock:
            self.intents[intent["id"]] = intent
            # A notification can come before the answer to the confirmation does.
            self.by_order[merchant["name"], asked["metadata"]["order_id"]] = intent
        return Answer(200, {"id": intent["id"], "object": "payment_intent", "status": "requires_confirmation"})

    def confirm(self, intent, asked, key):
        status, payment = self.inner.create(intent["merchant"], order_of(intent["made"], asked), key)
        if "payment_id" not in payment:
            return self.refuse(json.dumps(payment.get("errors", payment.get("detail"))), status)
        return self.view(intent, payment, 402)

    def operate(self, intent, act, asked, key):
        if intent["payment"] is None:
            return self.refuse("This PaymentIntent has not been confirmed")
        act = {"capture": "captures", "refund": "refunds"}.get(act, act)
        wanted = None
        if act != "cancel":
            amount = asked["amount_to_capture"] if act == "captures" else asked["amount"]
            wanted = {"amount": whole(amount), "reference": asked["metadata"]["reference"]}
        became, operation = self.inner.operate(intent["merchant"], intent["payment"]["payment_id"], act, wanted, key)
        if became == "refused":
            what = operation.get("klarna_error_code") or json.dumps(operation.get("errors", operation.get("detail")))
            return self.refuse(what)
        return Answer(200, {"object": act, "payment_intent": intent["id"], "status": OPERATIONS[became]})

    def read(self, intent):
        if intent["payment"] is None:
            return Answer(200, {"id": intent["id"], "object": "payment_intent", "status": "requires_confirmation"})
        status, payment = self.inner.read(intent["merchant"], intent["payment"]["payment_id"])
        return self.view(intent, payment, 200) if status == 200 else self.refuse("try again", status)

    def view(self, intent, payment, when_refused):
        with self.lock:
            intent["payment"] = {**(intent["payment"] or {}), **payment}
        shown = {"id": intent["id"], "object": "payment_intent", "status": STATES[payment["status"]]}
        if payment["status"] == "step_up_required":
            url = f"{gateway.BASE_URL}/redirect/{intent['id']}"
            shown["next_action"] = (
                {"type": "redirect_to_url", "redirect_to_url": {"url": url}}
                if payment["mode"] == "redirect"
                else {"type": "use_sdk", "use_sdk": {"payment_request": payment["payment_request_id"]}}
            )
        if "klarna_network_response_data" in payment:
            shown["klarna_network"] = {"response_data": payment["klarna_network_response_data"]}
        if payment["status"] in REASONS:
            shown["last_payment_error"] = {"code": REASONS[payment["status"]]}
        if shown["status"] == "requires_payment_method" and when_refused != 200:
            error = {"type": "payment_error", "code": REASONS[payment["status"]], "payment_intent": shown}
            return Answer(when_refused, {"error": error})
        return Answer(200, shown)

    def lead_on(self, name):
        intent = self.intents.get(name)
        url = intent and intent["payment"] and intent["payment"].get("payment_request_url")
        if not url:
            return self.refuse("No such redirect", 404)
        script = json.dumps(url).replace("/", "\\/")
        return page(f"<html><body><p>One moment…</p><script>window.location.replace({script});</script></body></html>")

    def methods(self, merchant, asked):
        own = asked.get("klarna_network", {})
        status, listed = self.inner.methods(merchant, {
            "currency": asked["currency"].upper(),
            "amount": whole(asked["amount"]),
            "locale": asked["locale"],
            "klarna_network_data": own.get("data"),
            "klarna_network_session_token": own.get("session_token"),
        })
        if status != 200:
            return self.refuse(json.dumps(listed), status)
        shown = {method["type"]: method for method in listed}
        names = [method["type"] for method in listed]
        return Answer(200, {"object": "preview", "payment_method_types": names, "klarna": shown.get("klarna")})

    def message(self, merchant, payment, number):
        with self.lock:
            intent = self.by_order[merchant["name"], payment["reference"]]
        content = {"id": intent["id"], "object": "payment_intent", "status": STATES[payment["status"]]}
        if payment["status"] in REASONS:
            content["last_payment_error"] = {"code": REASONS[payment["status"]]}
        event = {"id": "evt_" + number, "object": "event", "type": EVENTS[payment["status"]], "data": {"object": content}}
        body = json.dumps(event).encode()
        now = str(int(time.time()))
        signature = gateway.sign(merchant["signingSecret"].encode(), f"{now}.".encode() + body)
        headers = {"Content-Type": "application/json", "Gateway-Signature": f"t={now},v1={signature}"}
        return "POST", merchant["notify"], headers, body


if __name__ == "__main__":
    gateway.serve(FormTwoCalls())
