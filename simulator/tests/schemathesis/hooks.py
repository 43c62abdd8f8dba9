"""What no OpenAPI document can say, for schemathesis."""

import itertools
import uuid

import schemathesis
from schemathesis.core.parameters import ParameterLocation

KEY = "Klarna-Idempotency-Key"

calls = itertools.count()


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Asks for lives that are in range: that depends on the clock, so no schema says it.

    Without some that are, next to nothing would come through.
    """
    expiry = raw_schema["components"]["schemas"]["PaymentRequest_interaction_expiry"]
    expiry["required"] = ["duration"]
    expiry["properties"] = {"duration": {"type": "string", "enum": ["PT15M", "PT3H", "P2D"]}}


@schemathesis.hook
def map_body(context, body):
    """Writes whole numbers as such: `x-whole` asks for it, and no JSON Schema can."""
    return whole(body)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives most calls a key of their own, or nearly all would collide under the few made-up ones."""
    turn = next(calls)
    headers = case.meta and case.meta.components.get(ParameterLocation.HEADER)
    # Where a header is wrong on purpose, or left out, it must stay so.
    if case.headers and KEY in case.headers and headers and not headers.mode.is_negative and turn % 8:
        case.headers[KEY] = str(uuid.uuid5(uuid.NAMESPACE_OID, str(turn)))


def whole(value):
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
