"""One rule for every field: each list has a limit, which is told, written down, and kept on the bytes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from basicaer.service.config import Config
from basicaer.service.errors import ServiceError
from basicaer.service.wire import DEEPEST, MOST_PARTS, Scanner
from basicaer.service.wire._limits import MOST, SETTINGS
from basicaer.v1 import job_service_pb2 as pb
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tests.unit.wire.encoding import element, field, nested, varint
from tests.unit.wire.paths import METHODS, fields_of, lists

PROTOS = Path(__file__).parents[3] / "protos"
LISTS = lists()
ROOT = pb.SubmitJobRequest.DESCRIPTOR


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner([method.input_type for method in METHODS], Config(data_dir=Path("unused")))


def comments(folder: Path) -> dict[str, str]:
    """Returns the comment of each field of the contract."""
    out = folder / "image"
    protos = sorted(str(path) for path in PROTOS.glob("basicaer/v1/*.proto"))
    arguments = [f"-I{PROTOS}", "--include_source_info", f"--descriptor_set_out={out}", *protos]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], check=True)
    found = {}
    for file in FileDescriptorSet.FromString(out.read_bytes()).file:
        for location in file.source_code_info.location:
            path = list(location.path)
            if len(path) == 4 and path[0] == 4 and path[2] == 2:
                message = file.message_type[path[1]]
                name = f"{file.package}.{message.name}.{message.field[path[3]].name}"
                found[name] = " ".join(location.leading_comments.split())
    return found


def test_each_list_of_each_request_has_a_limit() -> None:
    assert set(LISTS) == set(MOST)


def test_the_contract_tells_each_limit(tmp_path: Path) -> None:
    told = comments(tmp_path)
    for name, most in MOST.items():
        if name.startswith("basicaer."):
            bound = f"`Limits.{SETTINGS[name]}`" if name in SETTINGS else f"{most:,}"
            assert re.search(rf"At most {re.escape(bound)}(?!,?\d)", told[name]), name


def test_get_server_info_tells_each_limit(scanner: Scanner) -> None:
    assert scanner.most["basicaer.v1.JobSpec.programs"] == Config(data_dir=Path("unused")).max_programs
    assert set(scanner.most) == set(MOST)


@pytest.mark.parametrize("name", sorted(LISTS))
def test_a_list_beyond_its_limit_is_refused_by_its_name(scanner: Scanner, name: str) -> None:
    root, path, descriptor = LISTS[name]
    most = min(scanner.most[name], 300_000)
    if most < scanner.most[name]:
        # Tens of millions of elements, packed, are too many bytes for a quick test.
        scanner = Scanner(
            [method.input_type for method in METHODS],
            Config(data_dir=Path("unused"), max_instructions=most),
        )
        scanner._tables.fields[[row.full_name for row in scanner._tables.rows].index(name), 3] = most
    scanner.scan(root, nested(path, element(descriptor) * most))
    with pytest.raises(ServiceError) as failure:
        scanner.scan(root, nested(path, element(descriptor) * (most + 1)))
    error = failure.value
    steps = [*path, descriptor]
    assert error.field == ".".join(
        f"{s.name}[0]" if s.is_repeated and s is not descriptor else s.name for s in steps
    )
    assert error.metadata["limit"] == SETTINGS.get(name, name)
    assert (error.metadata["max"], error.metadata["actual"]) == (str(most), str(most + 1))
    within = any(step.full_name == "basicaer.v1.JobSpec.programs" for step in steps)
    assert error.reason_name == ("PROGRAM_TOO_LARGE" if within else "OPTION_INVALID")


@pytest.mark.parametrize("packed", [True, False])
def test_packed_numbers_count_as_others(scanner: Scanner, packed: bool) -> None:
    root, path, descriptor = LISTS["basicaer.v1.Case.values"]
    numbers = varint(2**64 - 1) * 65_537
    contents = (
        field(descriptor.number, numbers) if packed else (varint(descriptor.number << 3) + b"\0") * 65_537
    )
    with pytest.raises(ServiceError, match=r"cases\[0\]\.values: it has 65,537 elements"):
        scanner.scan(root, nested(path, contents))


def test_what_lies_in_one_another_has_a_limit(scanner: Scanner) -> None:
    fields = fields_of(ROOT)
    path, _ = fields["basicaer.v1.Expression.cast"]
    cast = fields["basicaer.v1.Expression.cast"][1]
    deep = [*path, *[cast] * (DEEPEST - len(path))]
    scanner.scan(ROOT, nested(deep, b""))
    pb.SubmitJobRequest.FromString(nested(deep, b""))
    with pytest.raises(ServiceError, match="more than 100 levels deep"):
        scanner.scan(ROOT, nested([*deep, cast], b""))


@pytest.mark.parametrize(
    "part", ["messages", "merged messages", "texts", "unknown fields", "unpacked numbers"]
)
def test_all_parts_together_have_a_limit(scanner: Scanner, part: str) -> None:
    fields = fields_of(ROOT)
    path, paulis = fields["basicaer.v1.Observable.paulis"]
    body, qubits = fields["basicaer.v1.Block.qubits"]
    share = MOST_PARTS // 30
    contents, root = {
        # Thirty programs, each of which is within the limits of its lists.
        "messages": (
            field(2, nested(fields["basicaer.v1.Circuit.operations"][0][2:], field(9, b"") * share)) * 30,
            fields["basicaer.v1.JobSpec.programs"][0],
        ),
        "merged messages": (field(3, b"") * (MOST_PARTS + 1), fields["basicaer.v1.JobSpec.options"][0]),
        "texts": (nested(path[len(path) - 1 :], element(paulis) * 500_000) * 4, path[:-1]),
        "unpacked numbers": (element(qubits) * (MOST_PARTS + 1), body[:-1]),
        "unknown fields": ((varint(99 << 3) + b"\1") * (MOST_PARTS + 1), []),
    }[part]
    with pytest.raises(ServiceError, match="holds more than 1,500,000") as failure:
        scanner.scan(ROOT, nested(root, contents))
    assert failure.value.reason_name == "PROGRAM_TOO_LARGE"
    assert failure.value.metadata["limit"] == "max_parts"


def test_long_texts_are_refused_by_their_name(scanner: Scanner) -> None:
    fields = fields_of(ROOT)
    for name, longest, limit in (
        ("basicaer.v1.Program.openqasm2", 16 << 20, "max_program_bytes"),
        ("basicaer.v1.Circuit.name", 1 << 20, "basicaer.v1.Circuit.name"),
    ):
        path, descriptor = fields[name]
        scanner.scan(ROOT, nested(path, field(descriptor.number, b"x" * longest)))
        with pytest.raises(ServiceError) as failure:
            scanner.scan(ROOT, nested(path, field(descriptor.number, b"x" * (longest + 1))))
        assert failure.value.metadata["limit"] == limit
