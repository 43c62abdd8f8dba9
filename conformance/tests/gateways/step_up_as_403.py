#!/usr/bin/env python3
"""A gateway that speaks by status codes: 201 is paid, 403 with `stepUpUrl` asks for the customer, 400
says no. Every request is signed over its sorted `checkout-` headers and its body; a Partner is told by
a GET with a signed query.
"""

import datetime
import hmac
import json
import threading
import urllib.parse

import gateway
from gateway import Answer

STATES = {
    "approved": ("ok", ""),
    "declined": ("fail", "DECLINED"),
    "canceled": ("fail", "CANCELED"),
    "expired": ("fail", "EXPIRED"),
    "failed": ("fail", "ERROR"),
    "step_up_required": ("new", ""),
    "pending": ("pending", ""),
}
OPERATIONS = {"done": 201, "pending": 202, "refused": 400, "failed": 502}
CLOCKS_DIFFER_BY = datetime.timedelta(minutes=5)


def transaction_id(payment_id):
    return "tx-" + payment_id


def lines(pairs):
    return "\n".join(f"{name}:{value}" for name, value in sorted(pairs) if name.startswith("checkout-"))


def address(of):
    return {
        "street_address": of["streetAddress"],
        "postal_code": of["postalCode"],
        "city": of["city"],
        "region": of.get("county"),
        "country": of["country"],
    }


def order_of(asked):
    customer, delivery = asked["customer"], asked["deliveryAddress"]
    own = asked.get("klarna", {})
    return {
        "reference": asked["stamp"],
        "amount": asked["amount"],
        "currency": asked["currency"],
        "purchase_reference": asked["reference"],
        "order_lines": [
            {
                "name": item["description"],
                "quantity": item["units"],
                "unit_price": item["unitPrice"],
                "total_amount": item["total"],
                "total_tax_amount": item["vat"],
                "reference": item["productCode"],
            }
            for item in asked["items"]
        ],
        "customer": {
            "given_name": customer["firstName"],
            "family_name": customer["lastName"],
            "email": customer["email"],
            "phone": customer["phone"],
        },
        "billing_address": address(asked["invoicingAddress"]),
        "shipping_address": {
            "given_name": delivery["firstName"],
            "family_name": delivery["lastName"],
            **address(delivery),
        },
        "return_url": asked["redirectUrls"]["return"],
        "app_return_url": asked["redirectUrls"].get("app"),
        "mode": asked["flow"],
        "klarna_network_data": own.get("networkData"),
        "klarna_network_session_token": own.get("networkSessionToken"),
        "payment_option_id": own.get("paymentOptionId"),
    }


class StepUpAs403(gateway.Face):
    def __init__(self):
        super().__init__()
        self.payments = gateway.Payments(transaction_id)
        self.nonces = set()
        self.lock = threading.Lock()

    def refuse(self, what, status=400):
        return Answer(status, {"status": "error", "message": what})

    def answer(self, request):
        merchant, why = self.caller(request)
        if merchant is None:
            return self.refuse(why, 401)
        if request.method == "GET" and request.path == "/merchants/payment-providers":
            return self.methods(merchant, request)
        if request.method == "GET" and request.path.startswith("/payments/"):
            return self.read(merchant, urllib.parse.unquote(request.path.split("/")[2]))
        if request.method == "POST" and request.path == "/payments/klarna/authorization":
            return self.create(merchant, request)
        if request.method == "POST" and request.path.startswith("/payments/"):
            transaction, act = request.path.split("/")[2:]
            return self.operate(merchant, urllib.parse.unquote(transaction), act, request)
        return self.refuse("no such path", 404)

    def caller(self, request):
        """Whose request it is, by its signature; or why it is nobody's."""
        account = request.headers.get("checkout-account")
        merchant = next((one for one in self.merchants if one["account"] == account), None)
        if merchant is None or request.headers.get("checkout-algorithm") != "sha256":
            return None, "checkout-account"
        if request.headers.get("checkout-method") != request.method:
            return None, "checkout-method"
        signed = f"{lines(request.headers.items())}\n".encode() + request.body
        expected = gateway.sign(merchant["secret"].encode(), signed)
        if not hmac.compare_digest(expected, request.headers.get("signature", "")):
            return None, "signature"
        sent = datetime.datetime.fromisoformat(request.headers["checkout-timestamp"].replace("Z", "+00:00"))
        if abs(datetime.datetime.now(datetime.timezone.utc) - sent) > CLOCKS_DIFFER_BY:
            return None, "checkout-timestamp"
        with self.lock:
            nonce = (account, request.headers["checkout-nonce"])
            used = nonce in self.nonces
            self.nonces.add(nonce)
        return (None, "checkout-nonce") if used else (merchant, "")

    def create(self, merchant, request):
        status, payment = self.inner.create(merchant, order_of(request.json()), request.headers["checkout-nonce"])
        if "payment_id" not in payment:
            return self.refuse(json.dumps(payment.get("errors", payment.get("detail"))), status)
        transaction = self.payments.note(merchant, payment)
        state, reason = STATES[payment["status"]]
        shown = {"transactionId": transaction, "status": state}
        if "klarna_network_response_data" in payment:
            shown["klarnaResponseData"] = payment["klarna_network_response_data"]
        if state == "new":
            shown["stepUpUrl"] = payment["payment_request_url"]
            shown["stepUpId"] = payment["payment_request_id"]
            return Answer(403, shown)
        if state == "fail":
            return Answer(400, {**shown, "acquirerResponseCode": reason})
        return Answer(201 if state == "ok" else 202, shown)

    def operate(self, merchant, transaction, act, request):
        """/payments/{transactionId}/capture, …/refund and …/cancel: the status alone says what became of it."""
        owner, known = self.payments.find(transaction)
        act = {"capture": "captures", "refund": "refunds", "cancel": "cancel"}.get(act)
        if owner is not merchant or act is None:
            return self.refuse("transactionId", 404)
        asked = {} if act == "cancel" else request.json()
        wanted = None if act == "cancel" else {"amount": asked["amount"], "reference": asked["stamp"]}
        key = request.headers.get("checkout-idempotency-key")
        became, _ = self.inner.operate(merchant, known["payment_id"], act, wanted, key)
        return Answer(OPERATIONS[became], {"transactionId": transaction})

    def read(self, merchant, transaction):
        owner, known = self.payments.find(transaction)
        if owner is not merchant:
            return self.refuse("transactionId", 404)
        status, payment = self.inner.read(merchant, known["payment_id"])
        if status != 200:
            return self.refuse("try again", status)
        state, reason = STATES[payment["status"]]
        shown = {"transactionId": transaction, "status": state, "reason": reason}
        if state == "new":
            shown["stepUpUrl"] = payment["payment_request_url"]
            shown["stepUpId"] = payment["payment_request_id"]
        return Answer(200, shown)

    def methods(self, merchant, request):
        query = dict(urllib.parse.parse_qsl(request.query))
        status, listed = self.inner.methods(merchant, {
            "currency": query["currency"],
            "amount": int(query["amount"]),
            "locale": query["language"],
            "klarna_network_data": query.get("klarnaNetworkData"),
            "klarna_network_session_token": request.headers.get("klarna-network-session-token"),
        })
        if status != 200:
            return self.refuse(json.dumps(listed), status)
        groups = [{"id": "klarna", **method} if method["type"] == "klarna" else {"id": "creditcard"} for method in listed]
        return Answer(200, {"providers": groups})

    def message(self, merchant, payment, number):
        state, reason = STATES[payment["status"]]
        query = {
            "checkout-account": merchant["account"],
            "checkout-algorithm": "sha256",
            "checkout-amount": str(payment["amount"]),
            "checkout-stamp": payment["reference"],
            "checkout-transaction-id": self.payments.note(merchant, payment),
            "checkout-status": state,
            "checkout-reason": reason,
        }
        query["signature"] = gateway.sign(merchant["secret"].encode(), lines(query.items()).encode())
        return "GET", f"{merchant['notify']}?{urllib.parse.urlencode(query)}", {}, None


if __name__ == "__main__":
    gateway.serve(StepUpAs403())
