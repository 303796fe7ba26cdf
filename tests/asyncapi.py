"""Writes docs/asyncapi.yaml from the topics and messages of the product: python -m tests.asyncapi > docs/asyncapi.yaml.

Owns how a form becomes a schema and how the document is laid out. Rules: nothing about a body is said here that its form does
not say; the operations are the gateway's, so that what comes down is received.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from gateway import forms, messages, orders
from gateway.forms import Reader
from gateway.topics import RULES, Kind, Rule, Topic

Tree = dict[str, Any]

BODIES: dict[Kind, Any] = {
    Kind.STATE: messages.State,
    Kind.META: messages.Meta,
    Kind.OCCUPANCY: messages.Occupancy,
    Kind.LANE: messages.LaneHealth,
    Kind.NOTICE: messages.Notice,
    Kind.RECORDS: messages.Records,
    Kind.RECEIPT: messages.Receipt,
    Kind.DOWN: messages.Down,
    Kind.ALARM: messages.Alarm,
    Kind.METRICS: messages.Metrics,
    Kind.COMMAND: orders.Command,
    Kind.SETTING: orders.OperatorList,
    Kind.REPLY: orders.Reply,
}
PREFIXES = {
    orders.Command: orders.COMMAND_DOMAIN,
    orders.OperatorList: orders.OPERATORS_DOMAIN,
    orders.Reply: orders.REPLY_DOMAIN,
}
"""The bodies that are one signed line, and what its signature covers before the line."""

NAMES: dict[Kind, tuple[str, str]] = {
    Kind.OCCUPANCY: ("lot", "The lot's id."),
    Kind.LANE: ("lane", "The lane's id."),
    Kind.NOTICE: ("kind", "What happened, e.g. entry, exit-lease, operator-open."),
    Kind.RECORDS: ("stream", "The chain's id, which is the gateway's."),
    Kind.RECEIPT: ("stream", "The chain's id, which is the gateway's."),
    Kind.DOWN: ("stream", "The chain's id, which is the gateway's."),
    Kind.ALARM: ("alarm", "The alarm's id, with '_' for '/'."),
    Kind.COMMAND: ("verb", "What is asked for; the line says the same."),
    Kind.SETTING: ("setting", "Which setting; operators is the only one."),
    Kind.REPLY: ("console", "The id of the operator's key."),
}

SIMPLE: dict[Reader, Tree] = {
    forms.text: {"type": "string", "maxLength": forms.TEXT_BYTES_MAX},
    forms.long_text: {"type": "string", "maxLength": forms.LIST_BYTES_MAX},
    forms.count: {"type": "integer", "minimum": 0, "maximum": forms.INTEGER_MAX},
    forms.whole: {"type": "integer", "minimum": -forms.INTEGER_MAX, "maximum": forms.INTEGER_MAX},
    forms.version: {"type": "integer", "const": 1},
    forms.key_id: {"type": "string", "pattern": "^[0-9a-f]{16}$"},
    forms.signature: {"type": "string", "pattern": "^[A-Za-z0-9+/]{86}==$", "description": "Ed25519, base64"},
    forms.anything: {},
}


def schema_of(reader: Reader) -> Tree:
    """JSON Schema of what a reader takes; lengths are of bytes there and of characters here. KeyError for a new reader."""
    match reader:
        case forms.Word():
            return {"type": "string", "enum": [str(word) for word in reader.words]}
        case forms.Short():
            return {"type": "string", "maxLength": reader.bytes_max}
        case forms.Table():
            return {
                "type": "object",
                "maxProperties": forms.NAMES_MAX,
                "additionalProperties": schema_of(reader.of) or True,
            }
        case forms.Listing():
            return {"type": "array", "maxItems": forms.LINES_MAX, "items": schema_of(reader.of)}
        case forms.Fields():
            return object_of(reader.form)
    return dict(SIMPLE[reader])


def object_of(form: Mapping[str, Reader]) -> Tree:
    """JSON Schema of an object with exactly these fields."""
    properties = {name: schema_of(reader) for name, reader in form.items()}
    return {"type": "object", "required": list(form), "additionalProperties": False, "properties": properties}


def body_schema(body: Any) -> Tree:
    """Schema of a message's body."""
    form = orders.Signed.FORM if body in PREFIXES else {"v": forms.version, **body.FORM}
    return object_of(form)


def line_schema(body: Any) -> Tree:
    """Schema of the line inside a signed body."""
    return object_of({"v": forms.version, **body.FORM})


def document() -> Tree:
    """The whole document."""
    about = (
        "What a parking gateway, the city's platform and operators' consoles say to each other, seen from the gateway. Written"
        " from the message definitions; docs/CONSOLE.md and docs/RECORDS.md say what follows from a message. Every body has the"
        " member v, which is 1; a change that an old reader could not take would be 2, on topics under park/v2."
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "lotgate",
            "version": "1.0.0",
            "description": about,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {str(kind): _channel(kind) for kind in RULES},
        "operations": {_operation_name(kind): _operation(kind, rule) for kind, rule in RULES.items()},
        "components": {
            "messages": {body.__name__: _message(body) for body in BODIES.values()},
            "schemas": {f"{body.__name__}Line": line_schema(body) for body in PREFIXES},
        },
    }


def address(kind: Kind) -> str:
    """The topic with its parts in braces."""
    name = f"%{NAMES[kind][0]}%" if kind in NAMES else ""
    return re.sub("%([a-z]+)%", r"{\1}", str(Topic("%city%", "%gateway%", kind, name)))


def _channel(kind: Kind) -> Tree:
    named = {"city": "The city.", "gateway": "The gateway, which is its certificate's common name."}
    if kind in NAMES:
        named |= {NAMES[kind][0]: NAMES[kind][1]}
    return {
        "address": address(kind),
        "description": _said(BODIES[kind]),
        "parameters": {name: {"description": said} for name, said in named.items()},
        "messages": {
            BODIES[kind].__name__: {"$ref": f"#/components/messages/{BODIES[kind].__name__}"},
        },
    }


def _operation_name(kind: Kind) -> str:
    return f"{'receive' if RULES[kind].down else 'send'}-{kind}"


def _operation(kind: Kind, rule: Rule) -> Tree:
    mqtt = {"qos": rule.qos, "retain": rule.retain, "bindingVersion": "0.2.0"}
    if kind is Kind.COMMAND:
        mqtt["messageExpiryInterval"] = orders.LIFETIME_MS // 1000
    found: Tree = {
        "action": "receive" if rule.down else "send",
        "channel": {"$ref": f"#/channels/{kind}"},
        "bindings": {"mqtt": mqtt},
    }
    if kind is Kind.COMMAND:
        found["reply"] = {"channel": {"$ref": f"#/channels/{Kind.REPLY}"}}
    return found


def _message(body: Any) -> Tree:
    found: Tree = {"summary": _said(body).partition(". ")[0].rstrip(".") + ".", "payload": body_schema(body)}
    if body in PREFIXES:
        prefix = PREFIXES[body].decode().strip()
        line = f"The member line is canonical JSON of the form #/components/schemas/{body.__name__}Line"
        found["description"] = f"{line}; sig covers '{prefix}', LF, and the line."
    return found


def _said(body: Any) -> str:
    return " ".join((inspect.getdoc(body) or "").split())


def yaml(value: Any, depth: int = 0) -> str:
    """A tree as YAML: block style, texts as JSON writes them."""
    pad = "  " * depth
    if isinstance(value, dict) and value:
        rows = []
        for name, item in value.items():
            key = name if re.fullmatch(r"[$A-Za-z][A-Za-z0-9_-]*", name) else json.dumps(name)
            nested = isinstance(item, dict | list) and item and not _is_flat(item)
            rows.append(f"{pad}{key}:" + (f"\n{yaml(item, depth + 1)}" if nested else f" {_flow(item)}"))
        return "\n".join(rows)
    return f"{pad}{_flow(value)}"


def _is_flat(item: Any) -> bool:
    return isinstance(item, list) and all(not isinstance(one, dict | list) for one in item)


def _flow(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(yaml(document()) + "\n")
