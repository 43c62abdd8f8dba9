#!/usr/bin/env python3
"""A gateway with camelCase JSON: every answer has the status 200 and a `resultCode`, a customer is sent
on by an `action`, and hops of the gateway's own lie before Klarna: a redirect, a form that posts itself
and a refresh. Notifications carry their HMAC in the body.
"""

import base64
import hashlib
import hmac
import html
import json

import gateway
from gateway import Answer, page, redirect

CODES = {
    "approved": "Authorised",
    "declined": "Refused",
    "step_up_required": "RedirectShopper",
    "pending": "Pending",
    "canceled": "Cancelled",
    "expired": "Expired",
    "failed": "Error",
}
OPERATIONS = {"done": "completed", "pending": "received", "refused": "refused", "failed": "error"}
EVENTS = {"canceled": "CANCELLATION", "expired": "OFFER_CLOSED"}


def psp_reference(payment_id):
    return hashlib.sha256(payment_id.encode()).hexdigest()[:16].upper()


def address(of):
    return {
        "street_address": of["street"],
        "postal_code": of["postalCode"],
        "city": of["city"],
        "region": of.get("stateOrProvince"),
        "country": of["country"],
    }


def order_of(asked):
    shopper, delivery = asked["shopperName"], asked["deliveryAddress"]
    own = asked.get("additionalData", {})
    return {
        "reference": asked["reference"],
        "amount": asked["amount"]["value"],
        "currency": asked["amount"]["currency"],
        "purchase_reference": asked["merchantOrderReference"],
        "order_lines": [
            {
                "name": item["description"],
                "quantity": item["quantity"],
                "unit_price": item["amountIncludingTax"],
                "total_amount": item["totalAmount"],
                "total_tax_amount": item["taxAmount"],
                "reference": item["sku"],
            }
            for item in asked["lineItems"]
        ],
        "customer": {
            "given_name": shopper["firstName"],
            "family_name": shopper["lastName"],
            "email": asked["shopperEmail"],
            "phone": asked["telephoneNumber"],
        },
        "billing_address": address(asked["billingAddress"]),
        "shipping_address": {
            "given_name": delivery["firstName"],
            "family_name": delivery["lastName"],
            **address(delivery),
        },
        "return_url": asked["returnUrl"],
        "app_return_url": asked.get("appReturnUrl"),
        "mode": "sdk" if asked["paymentMethod"].get("subtype") == "sdk" else "redirect",
        "klarna_network_data": own.get("klarna.networkData"),
        "klarna_network_session_token": own.get("klarna.networkSessionToken"),
        "payment_option_id": own.get("klarna.paymentOptionId"),
    }


class CamelCase(gateway.Face):
    def __init__(self):
        super().__init__()
        self.payments = gateway.Payments(psp_reference)

    def refuse(self, what, status=422):
        kind = "security" if status == 401 else "validation"
        return Answer(status, {"status": status, "errorCode": "702", "message": what, "errorType": kind})

    def answer(self, request):
        if request.path.startswith("/shopper/"):
            return self.lead_on(request)
        key = request.headers.get("x-api-key")
        merchant = next((one for one in self.merchants if one["apiKey"] == key), None)
        if merchant is None:
            return self.refuse("HTTP Status Response - Unauthorized", 401)
        asked = request.json()
        if asked["merchantAccount"] != merchant["account"]:
            return self.refuse("merchantAccount")
        if request.path == "/v1/payments":
            return self.create(merchant, asked, request.headers.get("idempotency-key"))
        if request.path == "/v1/payments/details":
            return self.details(merchant, asked)
        if request.path == "/v1/paymentMethods":
            return self.methods(merchant, asked)
        if request.path.startswith("/v1/payments/"):
            psp, act = request.path.split("/")[3:]
            return self.operate(merchant, psp, act, asked, request.headers.get("idempotency-key"))
        return self.refuse("no such resource", 404)

    def operate(self, merchant, psp, act, asked, key):
        """/v1/payments/{pspReference}/captures, …/refunds and …/cancels."""
        owner, known = self.payments.find(psp)
        act = {"captures": "captures", "refunds": "refunds", "cancels": "cancel"}.get(act)
        if owner is not merchant or act is None:
            return self.refuse("pspReference", 404)
        wanted = None if act == "cancel" else {"amount": asked["amount"]["value"], "reference": asked["reference"]}
        became, operation = self.inner.operate(merchant, known["payment_id"], act, wanted, key)
        if "operation_id" not in operation:
            return self.refuse(json.dumps(operation.get("errors", operation.get("detail"))))
        shown = {"paymentPspReference": psp, "pspReference": psp_reference(operation["operation_id"])}
        return Answer(201, {**shown, "reference": operation["reference"], "status": OPERATIONS[became]})

    def create(self, merchant, asked, key):
        status, payment = self.inner.create(merchant, order_of(asked), key)
        if "payment_id" not in payment:
            return self.refuse(json.dumps(payment.get("errors", payment.get("detail"))), status)
        return Answer(200, self.view(merchant, payment))

    def details(self, merchant, asked):
        owner, known = self.payments.find(asked["pspReference"])
        if owner is not merchant:
            return self.refuse("pspReference", 404)
        status, payment = self.inner.read(merchant, known["payment_id"])
        return Answer(200, self.view(merchant, payment)) if status == 200 else self.refuse("try again", status)

    def view(self, merchant, payment):
        psp = self.payments.note(merchant, payment)
        shown = {
            "pspReference": psp,
            "resultCode": CODES[payment["status"]],
            "merchantReference": payment["reference"],
            "amount": {"value": payment["amount"], "currency": payment["currency"]},
        }
        if payment["status"] == "step_up_required":
            shown["action"] = {
                "type": payment["mode"],
                "paymentMethodType": "klarna_network",
                "method": "GET",
                "url": f"{gateway.BASE_URL}/shopper/redirect/{psp}",
                "sdkData": {"paymentRequestId": payment["payment_request_id"]},
            }
        if "klarna_network_response_data" in payment:
            data = payment["klarna_network_response_data"]
            shown["additionalData"] = {"klarna.networkResponseData": data}
        return shown

    def lead_on(self, request):
        """The way of a customer to Klarna: a redirect, a form that posts itself, a refresh."""
        step, psp = request.path.split("/")[2:]
        _, payment = self.payments.find(psp)
        if payment is None:
            return self.refuse("pspReference", 404)
        if step == "redirect":
            hop = redirect(302, f"/shopper/form/{psp}?type=klarna_network")
            hop.headers["Set-Cookie"] = f"shopper={psp}; Path=/shopper; HttpOnly; SameSite=Lax"
            return hop
        # Only the browser that has come from the beginning is led on.
        if request.headers.get("cookie") != f"shopper={psp}":
            return self.refuse("cookie", 403)
        if step == "form":
            return page(
                "<html><body onload=\"document.forms['continue'].submit()\">"
                f"<form name=\"continue\" method=\"post\" action=\"../continue/{psp}\">"
                f"<input type=\"hidden\" name=\"MD\" value=\"{psp} &amp; more\">"
                "<noscript><input type=\"submit\" value=\"Continue\"></noscript></form></body></html>"
            )
        if step == "continue" and gateway.nested(request.body) == {"MD": f"{psp} & more"}:
            klarna = html.escape(payment["payment_request_url"])
            return page(f"<html><head><meta http-equiv=\"refresh\" content=\"0; url='{klarna}'\"></head></html>")
        return self.refuse("step")

    def methods(self, merchant, asked):
        own = asked.get("additionalData", {})
        status, listed = self.inner.methods(merchant, {
            "currency": asked["amount"]["currency"],
            "amount": asked["amount"]["value"],
            "locale": asked["shopperLocale"],
            "klarna_network_data": own.get("klarna.networkData"),
            "klarna_network_session_token": own.get("klarna.networkSessionToken"),
        })
        if status != 200:
            return self.refuse(json.dumps(listed), status)
        names = {"card": "scheme", "klarna": "klarna_network"}
        shown = []
        for method in listed:
            entry = {"type": names[method["type"]], "name": method.get("name", "Klarna")}
            if method["type"] == "klarna":
                entry["configuration"] = {
                    "instruction": method["instruction"],
                    "paymentOption": json.dumps(method["payment_option"]),
                    "paymentOptionId": method["payment_option"]["payment_option_id"],
                }
            shown.append(entry)
        return Answer(200, {"paymentMethods": shown})

    def message(self, merchant, payment, number):
        psp = self.payments.note(merchant, payment)
        item = {
            "eventCode": EVENTS.get(payment["status"], "AUTHORISATION"),
            "success": "true" if payment["status"] != "declined" and payment["status"] != "failed" else "false",
            "reason": CODES[payment["status"]],
            "pspReference": psp,
            "merchantReference": payment["reference"],
            "merchantAccountCode": merchant["account"],
            "amount": {"value": payment["amount"], "currency": payment["currency"]},
        }
        signed = ":".join([
            psp, item["merchantAccountCode"], item["merchantReference"], str(payment["amount"]),
            payment["currency"], item["eventCode"], item["success"],
        ])
        mac = hmac.new(bytes.fromhex(merchant["hmacKey"]), signed.encode(), hashlib.sha256)
        item["additionalData"] = {"hmacSignature": base64.b64encode(mac.digest()).decode()}
        body = json.dumps({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]})
        return "POST", merchant["notify"], {"Content-Type": "application/json"}, body.encode()


if __name__ == "__main__":
    gateway.serve(CamelCase())
