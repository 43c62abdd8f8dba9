#!/usr/bin/env python3
"""A gateway with decimal amounts and OAuth 2.0: a token by client credentials, what only Klarna needs
as JSON text within JSON, and notifications that say an id and nothing else, so a Partner reads the
payment to know how it stands.
"""

import json
import secrets
import threading
import urllib.parse

import gateway
from gateway import Answer, minor, redirect

STATES = {
    "approved": ("authorized", None),
    "declined": ("failed", "declined_by_issuer"),
    "failed": ("failed", "technical_error"),
    "canceled": ("canceled", None),
    "expired": ("expired", None),
    "step_up_required": ("open", None),
    "pending": ("pending", None),
}
OPERATIONS = {"done": "succeeded", "pending": "queued", "refused": "failed", "failed": "failed"}
TOKEN_LIVES_S = 3600


def payment_name(payment_id):
    return "tr_" + payment_id


def address(of):
    return {
        "street_address": of["streetAndNumber"],
        "postal_code": of["postalCode"],
        "city": of["city"],
        "region": of.get("region"),
        "country": of["country"],
    }


def order_of(asked):
    currency = asked["amount"]["currency"]
    buyer, shipping = asked["billingAddress"], asked["shippingAddress"]
    own = json.loads(asked.get("methodData", "{}"))
    return {
        "reference": asked["metadata"]["transaction"],
        "amount": minor(asked["amount"]["value"], currency),
        "currency": currency,
        "purchase_reference": asked["orderNumber"],
        "order_lines": [
            {
                "name": item["description"],
                "quantity": item["quantity"],
                "unit_price": minor(item["unitPrice"], currency),
                "total_amount": minor(item["totalAmount"], currency),
                "total_tax_amount": minor(item["vatAmount"], currency),
                "reference": item["sku"],
            }
            for item in asked["lines"]
        ],
        "customer": {
            "given_name": buyer["givenName"],
            "family_name": buyer["familyName"],
            "email": buyer["email"],
            "phone": buyer["phone"],
        },
        "billing_address": address(buyer),
        "shipping_address": {
            "given_name": shipping["givenName"],
            "family_name": shipping["familyName"],
            **address(shipping),
        },
        "return_url": asked["redirectUrl"],
        "app_return_url": asked.get("appRedirectUrl"),
        "mode": asked["integration"],
        "klarna_network_data": own.get("networkData"),
        "klarna_network_session_token": own.get("networkSessionToken"),
        "payment_option_id": own.get("paymentOptionId"),
    }


class DecimalOAuth2(gateway.Face):
    def __init__(self):
        super().__init__()
        self.payments = gateway.Payments(payment_name)
        self.tokens = {}
        self.lock = threading.Lock()

    def refuse(self, what, status=422):
        return Answer(status, {"status": status, "title": "Unprocessable Entity", "detail": what})

    def answer(self, request):
        if request.path == "/oauth2/token":
            return self.token(request)
        if request.path.startswith("/checkout/"):
            _, payment = self.payments.find(request.path.split("/")[2])
            return redirect(303, payment["payment_request_url"])
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        with self.lock:
            merchant = self.tokens.get(token) if scheme == "Bearer" else None
        if merchant is None:
            return self.refuse("Missing authentication, or failed to authenticate", 401)
        if request.method == "POST" and request.path == "/v2/payments":
            return self.create(merchant, request)
        if request.method == "GET" and request.path.startswith("/v2/payments/"):
            return self.read(merchant, urllib.parse.unquote(request.path.split("/")[3]))
        if request.path.startswith("/v2/payments/") and request.method in ("POST", "DELETE"):
            return self.operate(merchant, request)
        if request.method == "POST" and request.path == "/v2/methods":
            return self.methods(merchant, request.json())
        return self.refuse("no such resource", 404)

    def token(self, request):
        user, password = request.basic()
        merchant = next((one for one in self.merchants if (one["clientId"], one["clientSecret"]) == (user, password)), None)
        if merchant is None or gateway.nested(request.body).get("grant_type") != "client_credentials":
            return Answer(401, {"error": "invalid_client"})
        token = secrets.token_urlsafe(24)
        with self.lock:
            self.tokens[token] = merchant
        return Answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIVES_S})

    def create(self, merchant, request):
        key = request.headers.get("idempotency-key")
        status, payment = self.inner.create(merchant, order_of(request.json()), key)
        if "payment_id" not in payment:
            return self.refuse(json.dumps(payment.get("errors", payment.get("detail"))), status)
        return Answer(201, self.view(merchant, payment))

    def read(self, merchant, name):
        owner, known = self.payments.find(name)
        if owner is not merchant:
            return self.refuse("id", 404)
        status, payment = self.inner.read(merchant, known["payment_id"])
        return Answer(200, self.view(merchant, payment)) if status == 200 else self.refuse("try again", status)

    def operate(self, merchant, request):
        """POST …/captures and …/refunds; DELETE of the payment itself cancels it."""
        name, *rest = (urllib.parse.unquote(part) for part in request.path.split("/")[3:])
        owner, known = self.payments.find(name)
        acts = {("POST", "captures"): "captures", ("POST", "refunds"): "refunds", ("DELETE",): "cancel"}
        act = acts.get((request.method, *rest))
        if owner is not merchant or act is None:
            return self.refuse("id", 404)
        wanted = None
        if act != "cancel":
            asked = request.json()
            amount = minor(asked["amount"]["value"], asked["amount"]["currency"])
            wanted = {"amount": amount, "reference": asked["metadata"]["reference"]}
        key = request.headers.get("idempotency-key")
        became, operation = self.inner.operate(merchant, known["payment_id"], act, wanted, key)
        if "operation_id" not in operation:
            return self.refuse(json.dumps(operation.get("errors", operation.get("detail"))))
        if became == "done" and act == "cancel":
            return Answer(204)
        shown = {"resource": act, "paymentId": name, "status": OPERATIONS[became]}
        if became == "failed":
            shown["failureReason"] = "technical_error"
        return Answer(201, shown)

    def view(self, merchant, payment):
        name = self.payments.note(merchant, payment)
        state, reason = STATES[payment["status"]]
        shown = {"resource": "payment", "id": name, "status": state}
        if reason:
            shown["failureReason"] = reason
        if state == "open":
            # Without a host: the reader knows whose it is.
            shown["_links"] = {"checkout": {"href": f"/checkout/{name}"}}
            shown["sdk"] = {"paymentRequestId": payment["payment_request_id"]}
        if "klarna_network_response_data" in payment:
            shown["methodData"] = json.dumps({"networkResponseData": payment["klarna_network_response_data"]})
        return shown

    def methods(self, merchant, asked):
        own = json.loads(asked.get("methodData", "{}"))
        currency = asked["amount"]["currency"]
        status, listed = self.inner.methods(merchant, {
            "currency": currency,
            "amount": minor(asked["amount"]["value"], currency),
            "locale": asked["locale"].replace("_", "-"),
            "klarna_network_data": own.get("networkData"),
            "klarna_network_session_token": own.get("networkSessionToken"),
        })
        if status != 200:
            return self.refuse(json.dumps(listed), status)
        shown = [{"id": method["type"], **({"presentation": method} if method["type"] == "klarna" else {})} for method in listed]
        return Answer(200, {"count": len(shown), "_embedded": {"methods": shown}})

    def message(self, merchant, payment, number):
        body = urllib.parse.urlencode({"id": self.payments.note(merchant, payment)}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return "POST", merchant["notify"], headers, body


if __name__ == "__main__":
    gateway.serve(DecimalOAuth2())
