"""docs/asyncapi.yaml against the topics and messages that it is written from, and its schemas against real bodies."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.forms import Rejection
from gateway.orders import Signed
from gateway.topics import RULES, Kind, parse_topic
from tests.asyncapi import BODIES, NAMES, PREFIXES, Tree, address, body_schema, document, line_schema, yaml
from tests.test_messages import MESSAGES
from tests.test_orders import LINES

PATH = Path(__file__).resolve().parent.parent / "docs" / "asyncapi.yaml"
WRONG = (None, 1.5, -1, True, 2**53, "x" * 60_000, [[]], {"a": []}, [])


def objection(schema: Tree, value: Any) -> str:
    """Why a value does not fit a schema, '' if it does; the few keywords that our schemas use."""
    kinds = {"string": str, "integer": int, "object": dict, "array": list}
    wanted = schema.get("type")
    if wanted and (not isinstance(value, kinds[wanted]) or (wanted == "integer" and isinstance(value, bool))):
        return f"{value!r:.40} is no {wanted}"
    if isinstance(value, str):
        if len(value) > schema.get("maxLength", 10**9) or not re.search(schema.get("pattern", ""), value):
            return f"{value:.40} too long, or not of the pattern"
        return "" if value in schema.get("enum", [value]) else f"{value:.40} not in {schema['enum']}"
    if isinstance(value, int):
        fits = schema.get("minimum", value) <= value <= schema.get("maximum", value)
        return "" if fits and schema.get("const", value) == value else f"{value} out of range"
    if isinstance(value, list):
        found = [objection(schema.get("items", {}), item) for item in value]
        return "too many" if len(value) > schema.get("maxItems", len(value)) else "".join(found)
    return _object_objection(schema, value) if isinstance(value, dict) else ""


def _object_objection(schema: Tree, value: dict[str, Any]) -> str:
    properties, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    missing = set(schema.get("required", ())) - value.keys()
    beyond = value.keys() - properties.keys() if more is False else set()
    rest = more if isinstance(more, dict) else {}
    return f"{missing or ''}{beyond or ''}" + "".join(objection(properties.get(n, rest), v) for n, v in value.items())


def test_the_document_is_the_one_that_the_code_writes() -> None:
    assert PATH.read_text(encoding="utf-8") == yaml(document()) + "\n", "python -m tests.asyncapi > docs/asyncapi.yaml"


def test_every_topic_has_its_channel_and_its_operation() -> None:
    found = document()
    assert list(found["channels"]) == [str(kind) for kind in RULES] == [str(kind) for kind in BODIES]
    for kind, rule in RULES.items():
        text = address(kind)
        assert set(re.findall(r"{(\w+)}", text)) == found["channels"][str(kind)]["parameters"].keys()
        topic = parse_topic(re.sub(r"[{}]", "", text))
        assert not isinstance(topic, Rejection)
        assert (topic.kind, bool(topic.name)) == (kind, kind in NAMES)
        action = "receive" if rule.down else "send"
        operation = found["operations"][f"{action}-{kind}"]
        mqtt = operation["bindings"]["mqtt"]
        assert (operation["action"], mqtt["qos"], mqtt["retain"]) == (action, rule.qos, rule.retain)
        assert operation["channel"] == {"$ref": f"#/channels/{kind}"}
    assert found["operations"]["receive-cmd"]["reply"] == {"channel": {"$ref": f"#/channels/{Kind.REPLY}"}}


def test_every_reference_leads_somewhere() -> None:
    found = document()
    for target in re.findall(r"#/([A-Za-z/-]+)", json.dumps(found)):
        place: Any = found
        for part in target.split("/"):
            place = place[part]


@pytest.mark.parametrize("message", [m for m in MESSAGES if type(m) in BODIES.values()], ids=lambda m: type(m).__name__)
def test_a_schema_takes_what_the_code_takes_and_no_wrong_type(message: Any) -> None:
    schema, body = body_schema(type(message)), json.loads(message.to_json())
    assert objection(schema, body) == ""
    agree(schema, body, lambda changed: type(message).from_json(json.dumps(changed).encode()))


@pytest.mark.parametrize("line", LINES, ids=lambda line: type(line).__name__)
def test_a_signed_lines_schema_does_so_too(line: Any) -> None:
    schema, body = line_schema(type(line)), json.loads(line.line())
    assert objection(schema, body) == ""
    spelled = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False}
    agree(schema, body, lambda changed: type(line).from_line(json.dumps(changed, **spelled)))
    signed = Signed(line.line(), bytes(64))
    assert objection(body_schema(type(line)), json.loads(signed.to_json())) == ""
    assert type(line) in PREFIXES


def agree(schema: Tree, body: dict[str, Any], read: Any) -> None:
    """Whatever the schema refuses the code refuses; the code refuses more, such as lists that must pair."""
    for name in body:
        for wrong in WRONG:
            changed = {**body, name: wrong}
            if objection(schema, changed):
                assert isinstance(read(changed), Rejection), (name, wrong)
        assert objection(schema, {key: value for key, value in body.items() if key != name})
    assert objection(schema, {**body, "more": 1})


def test_what_needs_quotes_gets_them() -> None:
    tree = {"a": {"$ref": "#/x", "1 b": [1, "y: z"]}, "c": {}, "d": True}
    assert yaml(tree) == 'a:\n  $ref: "#/x"\n  "1 b": [1, "y: z"]\nc: {}\nd: true'
