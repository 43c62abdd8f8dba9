"""What all gateways have in common: the reference acquirer behind another Partner-facing API.

A face (camel_case.py and its neighbours) says how its API looks; here the reference acquirer is started
as a child, its API is called, and its notifications are taken and handed on in the face's own words. A
notification is answered 2xx only once the Partner has taken the face's, so the reference acquirer
repeats what did not get through. Standard library only.

Environment: KLARNA_BASE_URL, KLARNA_API_KEY, KLARNA_CA_FILE and ACQUIRER_LISTEN, as the suite sets
them; MERCHANTS, a JSON file of the Partners, each with name, klarnaAccount, notify (its URL) and what
the face wants to know of it; WORK_DIR; and REFERENCE_ACQUIRER, the command that starts the reference
acquirer, where it is not found by itself.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST, PORT = os.environ["ACQUIRER_LISTEN"].rsplit(":", 1)
BASE_URL = f"http://{HOST}:{PORT}"
WORK_DIR = Path(os.environ["WORK_DIR"])
LARGEST_BODY = 1 << 20
DIGITS = {"JPY": 0, "KRW": 0, "KWD": 3}
FINAL = ("approved", "declined", "canceled", "expired", "failed")
CONFIG = """
database_key = "dGhlIGtleSBvZiBhIGRhdGFiYXNlIG9mIG9uZSBydW4="
[klarna]
timeout_ms = 1000
presentation_timeout_ms = 1000
[klarna.retry]
attempts = 5
first_ms = 50
max_ms = 500
[klarna.withdraw]
first_ms = 200
max_ms = 2000
[create]
answer_ms = 2000
[outbox]
poll_ms = 100
[notifications.retry]
first_ms = 50
max_ms = 500
[registration]
check_ms = 1000
check_gap_ms = 200
[registration.retry]
first_ms = 50
max_ms = 500
[return]
wait_ms = 1500
[http]
stop_ms = 2000
"""


def log(*words):
    print(*words, file=sys.stderr, flush=True)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: nothing is sent anywhere else."""

    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)


def call(method, url, body=None, headers=None, timeout=10):
    """Status and body; status 0 where there is no answer."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with OPENER.open(request, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error).encode()


def sign(key, message, algorithm=hashlib.sha256):
    """HMAC in hexadecimal."""
    return hmac.new(key, message, algorithm).hexdigest()


def minor(text, currency):
    """A decimal amount as minor units; an amount that is none is a ValueError."""
    scaled = Decimal(text).scaleb(DIGITS.get(currency, 2))
    if scaled != scaled.to_integral_value():
        raise ValueError("amount")
    return int(scaled)


def present(value):
    """Without the members that have no value."""
    if isinstance(value, dict):
        return {name: present(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [present(item) for item in value]
    return value


def nested(form):
    """A form's `a[b][0]` as {"a": {"b": {"0": …}}}; each value is the last of its name."""
    tree = {}
    for name, value in urllib.parse.parse_qsl(form.decode(), keep_blank_values=True, strict_parsing=bool(form)):
        path = re.findall(r"[^\[\]]+", name)
        node = tree
        for key in path[:-1]:
            node = node.setdefault(key, {})
        node[path[-1]] = value
    return tree


class Answer:
    def __init__(self, status, body=b"", headers=None):
        self.status, self.headers = status, dict(headers or {})
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            self.headers.setdefault("Content-Type", "application/json")
        self.body = body


def page(html):
    return Answer(200, f"<!DOCTYPE html>{html}".encode(), {"Content-Type": "text/html; charset=utf-8"})


def redirect(status, url):
    return Answer(status, headers={"Location": url})


class Request:
    """What came in: method, path, query, headers (names in lower case) and body."""

    def __init__(self, method, target, headers, body):
        parts = urllib.parse.urlsplit(target)
        self.method, self.path, self.query = method, parts.path, parts.query
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body

    def json(self):
        content = json.loads(self.body)
        if not isinstance(content, dict):
            raise ValueError("body")
        return content

    def basic(self):
        """User name and password."""
        scheme, _, credentials = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return "", ""
        user, _, password = base64.b64decode(credentials).decode().partition(":")
        return user, password


class Payments:
    """The face's own names for payments of the reference acquirer."""

    def __init__(self, name):
        """`name` makes a payment's name from that of the reference acquirer, and always the same one."""
        self.name = name
        self.known = {}
        self.lock = threading.Lock()

    def note(self, merchant, payment):
        """Keeps what the reference acquirer said of a payment; the face's name for it."""
        name = self.name(payment["payment_id"])
        with self.lock:
            _, before = self.known.get(name, (merchant, {}))
            # The way to the customer is told while the customer is awaited, and opened later.
            kept = {key: value for key, value in before.items() if key.startswith("payment_request")}
            self.known[name] = (merchant, {**kept, **payment})
        return name

    def find(self, name):
        """Merchant and payment."""
        with self.lock:
            return self.known.get(name, (None, None))


class Inner:
    """The reference acquirer, as the gateway's child."""

    def __init__(self, merchants):
        partners = ""
        for merchant in merchants:
            merchant["innerKey"] = secrets.token_hex(16)
            merchant["innerSecret"] = secrets.token_bytes(24)
            secret = "whsec_" + base64.b64encode(merchant["innerSecret"]).decode()
            url = f"{BASE_URL}/inner/{urllib.parse.quote(merchant['name'])}"
            fields = {
                "name": merchant["name"],
                "api_key": merchant["innerKey"],
                "klarna_partner_account": merchant["klarnaAccount"],
                "notification_url": url,
                "notification_secret": secret,
            }
            lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items())
            partners += f"[[partners]]\n{lines}"
        config = WORK_DIR / "reference-acquirer.toml"
        config.write_text(CONFIG + partners, encoding="utf-8")
        arguments = [
            "serve", "--listen", "127.0.0.1:0", "--klarna-url", os.environ["KLARNA_BASE_URL"],
            "--database", f"sqlite://{WORK_DIR}/acquirer.db", "--config", str(config),
        ]
        environment = dict(os.environ)
        for name in ("ACQUIRER_LISTEN", "PARTNER_NOTIFICATION_URL"):
            environment.pop(name, None)
        self.child = subprocess.Popen(reference_acquirer() + arguments, stdout=subprocess.PIPE, env=environment)
        line = self.child.stdout.readline()
        if not line:
            sys.exit(f"the reference acquirer did not start: it ended with {self.child.wait()}")
        self.url = json.loads(line)["listening"]
        self.stopping = False
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        """Without the acquirer behind it a gateway is nothing."""
        status = self.child.wait()
        if not self.stopping:
            log("the reference acquirer ended with", status)
        os._exit(0 if self.stopping else 1)

    def stop(self, *_):
        self.stopping = True
        self.child.terminate()

    def ask(self, merchant, method, path, body=None, key=None):
        """Status and answer."""
        headers = {"Authorization": "Bearer " + merchant["innerKey"]}
        if key:
            headers["Idempotency-Key"] = key
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(present(body)).encode()
        status, content = call(method, self.url + path, content, headers, timeout=30)
        try:
            answer = json.loads(content)
        except ValueError:
            answer = {}
        return status or 502, answer if isinstance(answer, dict) else {}

    def create(self, merchant, order, key=None):
        return self.ask(merchant, "POST", "/v1/payments", order, key)

    def read(self, merchant, payment_id):
        return self.ask(merchant, "GET", "/v1/payments/" + urllib.parse.quote(payment_id, safe=""))

    def operate(self, merchant, payment_id, act, body=None, key=None):
        """A capture ("captures"), a refund ("refunds") or a cancel ("cancel"): what became of it (done,
        pending, refused, failed), and the operation or the problem.
        """
        path = f"/v1/payments/{urllib.parse.quote(payment_id, safe='')}/{act}"
        status, answer = self.ask(merchant, "POST", path, body, key)
        if "operation_id" not in answer:
            return ("refused" if 400 <= status < 500 else "failed"), answer
        if answer["status"] == "failed":
            return ("refused" if answer["failure_reason"] == "refused" else "failed"), answer
        return {"succeeded": "done", "pending": "pending"}[answer["status"]], answer

    def methods(self, merchant, wanted):
        """What a payment form lists: status, and the list or the problem."""
        status, answer = self.ask(merchant, "POST", "/v1/payment-methods", wanted)
        return status, answer.get("payment_methods", answer)


def reference_acquirer():
    """The command that starts it: as told, or what a build has left, or what the system finds."""
    told = os.environ.get("REFERENCE_ACQUIRER")
    if told:
        return shlex.split(told)
    for build in ("release", "debug"):
        folder = Path(__file__).resolve().parents[3] / "target" / build
        for program in (["reference-acquirer"], ["klarna-conformance", "__reference-acquirer"]):
            if (folder / program[0]).is_file():
                return [str(folder / program[0]), *program[1:]]
    if shutil.which("reference-acquirer"):
        return ["reference-acquirer"]
    sys.exit("no reference acquirer: build the workspace, or name its command in REFERENCE_ACQUIRER")


class Face:
    """A Partner-facing API. Faces fill in what raises NotImplementedError."""

    def __init__(self):
        with open(os.environ["MERCHANTS"], encoding="utf-8") as file:
            self.merchants = json.load(file)
        self.inner = None

    def answer(self, request):
        """Answers a Partner, or a customer's browser."""
        raise NotImplementedError

    def refuse(self, what):
        """The answer to a request that cannot be read."""
        raise NotImplementedError

    def message(self, merchant, payment, number):
        """How a Partner is told: method, URL, headers, body. The number is the message's own."""
        raise NotImplementedError

    def respond(self, request):
        if request.method == "GET" and request.path == "/alive":
            return Answer(200, {})
        if request.path.startswith("/inner/"):
            return self.heard(request)
        try:
            return self.answer(request)
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            return self.refuse(str(error))

    def heard(self, request):
        """A notification of the reference acquirer: handed on before it is answered."""
        name = urllib.parse.unquote(request.path.split("/")[2])
        merchant = next(merchant for merchant in self.merchants if merchant["name"] == name)
        number, time = (request.headers.get(f"webhook-{part}", "") for part in ("id", "timestamp"))
        signed = f"{number}.{time}.".encode() + request.body
        expected = base64.b64encode(hmac.new(merchant["innerSecret"], signed, hashlib.sha256).digest()).decode()
        if not hmac.compare_digest(f"v1,{expected}", request.headers.get("webhook-signature", "")):
            return Answer(401)
        event = request.json()
        if event["type"] != "payment.updated" or event["data"]["status"] not in FINAL:
            return Answer(204)
        method, url, headers, body = self.message(merchant, event["data"], number)
        status, content = call(method, url, body, headers)
        if not 200 <= status < 300:
            log("the Partner", name, "did not take a notification:", status, content[:200])
            return Answer(502)
        return Answer(204)


def serve(face):
    """Starts the reference acquirer, then serves the face until SIGTERM."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def respond(self):
            length = int(self.headers.get("Content-Length") or 0)
            if length > LARGEST_BODY:
                self.close_connection = True
                answer = face.refuse("the body is too long")
            else:
                answer = face.respond(Request(self.command, self.path, self.headers, self.rfile.read(length)))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if answer.status != 204:
                self.wfile.write(answer.body)

        do_GET = do_POST = do_DELETE = respond

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    # Listening before the reference acquirer runs, serving once it is there.
    server = Server((HOST, int(PORT)), Handler)
    face.inner = Inner(face.merchants)
    signal.signal(signal.SIGTERM, face.inner.stop)
    log("a gateway for", len(face.merchants), "merchants in front of", face.inner.url)
    server.serve_forever()
