"""Writes the HTTP door's rules and its OpenAPI document, from the contract and its paths.

    buf build protos -o - | PYTHONPATH=service python -m generate_http [--check]

The paths are those of protos/basicaer/v1/job_service.http.yaml; the messages, and the comments that describe
them, those of protos/. `make contract` does it, and `make lint` checks that it was done.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from google.api import service_pb2
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from generate_http._contract import Contract
from generate_http._document import SERVICE, Document

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "protos/basicaer/v1/job_service.http.yaml"
FOLDER = ROOT / "service/basicaer/service/doors/http"
VERBS = ("get", "put", "post", "delete", "patch")


def _rules() -> Iterator[tuple[str, str, str, str]]:
    """Return each rule's RPC, verb, template and body."""
    read = service_pb2.Service()
    raw = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))
    raw["configVersion"] = raw.pop("config_version")
    raw.pop("type")
    json_format.ParseDict(raw, read)
    for rule in read.http.rules:
        for binding in (rule, *rule.additional_bindings):
            verb = binding.WhichOneof("pattern")
            assert verb in VERBS, f"{rule.selector}: {verb} is no verb"
            yield rule.selector.removeprefix(f"{SERVICE}."), verb, getattr(binding, verb), binding.body


def main() -> None:
    """Read an image from the standard input and write the door's files, or with --check compare them."""
    document = Document(Contract(FileDescriptorSet.FromString(sys.stdin.buffer.read())))
    rules = []
    for rpc, verb, template, body in _rules():
        document.add(rpc, verb, template, body)
        rules.append({"rpc": rpc, "verb": verb.upper(), "template": template, "body": body})
    for name, made in (("rules.json", rules), ("openapi.json", document.make())):
        text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
        path = FOLDER / name
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path.relative_to(ROOT)} is stale: run 'make contract'")


if __name__ == "__main__":
    main()
