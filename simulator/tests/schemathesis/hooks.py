"""What no OpenAPI document can say, for schemathesis."""

import itertools
import uuid

import schemathesis
from schemathesis.core.parameters import ParameterLocation

# What describes a schema without asking anything of a value.
WORDS = {"title", "description"}
KEY = "Klarna-Idempotency-Key"

calls = itertools.count()


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Takes out what `x-report` names: it refuses nothing, a body that breaks it is only a finding.

    The document keeps it all the same, because Klarna's documents have it.
    """
    looser = loosened(raw_schema)
    # Which lives are in range depends on the clock, so no schema says it; without some that are,
    # next to nothing would come through.
    expiry = looser["components"]["schemas"]["PaymentRequest_interaction_expiry"]
    expiry["required"] = ["duration"]
    expiry["properties"] = {"duration": {"type": "string", "enum": ["PT15M", "PT3H", "P2D"]}}
    raw_schema.clear()
    raw_schema.update(looser)


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


def loosened(value):
    if isinstance(value, list):
        return [loosened(item) for item in value]
    if not isinstance(value, dict):
        return value
    reported = value.get("x-report")
    # A field may be called so, too; as a keyword it is a list of names.
    if not isinstance(reported, list):
        reported = []
    if "*" in reported:
        return {key: item for key, item in value.items() if key in WORDS}
    return {key: loosened(item) for key, item in value.items() if key not in [*reported, "x-report"]}


def whole(value):
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
