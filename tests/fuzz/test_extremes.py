"""Every field of every request at its extremes, one at a time, against a live server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from basicaer.v1 import job_service_pb2 as pb
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from tests.fuzz.extremes import EXTREMES, MOST_PAIRS, TWICE, every_input
from tests.fuzz.inputs.bases import bases
from tests.fuzz.inputs.variations import NOT_UTF8, Place, as_bytes, extremes, kinds, places, set_extreme
from tests.fuzz.wire import METHODS

INPUTS = tuple(every_input())


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    with EXTREMES.around():
        yield


@pytest.mark.parametrize("base", range(len(bases())), ids=lambda base: f"{base}-{bases()[base][0]}")
@pytest.mark.timeout(600)
def test_an_extreme_is_answered_soon_and_in_clean_words(server: None, base: int) -> None:
    for data in INPUTS:
        if data[0] == base:
            EXTREMES.run(data)


def test_every_field_of_the_contract_is_set() -> None:
    wanted: set[str] = set()
    for method in METHODS:
        wanted |= _fields(method.input_type, set())
    reached = {place.field.full_name for _, message in bases() for place in places(message)}
    assert wanted <= reached, f"no good request has these in reach: {sorted(wanted - reached)}"
    assert {name for name, _ in bases()} == {method.name for method in METHODS}


@pytest.mark.parametrize("base", range(len(bases())), ids=lambda base: f"{base}-{bases()[base][0]}")
def test_what_is_nested_several_times_is_changed_further(base: int) -> None:
    good = bases()[base][1]
    holders = [place for place in places(good) if _deepest(good, place) is not None]
    for place in holders[:2]:
        nested = type(good)()
        nested.CopyFrom(good)
        for _ in range(MOST_PAIRS):
            deepest = _deepest(nested, place)
            assert deepest is not None
            set_extreme(nested, place, deepest)
        for other in _above(places(nested), place):
            for number in range(extremes(nested, other)):
                message = type(good)()
                message.CopyFrom(nested)
                set_extreme(message, other, number)
                assert list(places(message))
                as_bytes(message)


def _above(found: Iterator[Place], place: Place) -> list[Place]:
    """Returns those that hold what is at a place, and those right inside of it."""
    return [
        other
        for other in found
        if place.steps[: len(other.steps)] == other.steps or other.steps[:-1] == place.steps
    ]


def _deepest(message: Message, place: Place) -> int | None:
    """Returns the extreme that puts what is at a place into itself most often; None where nothing can."""
    found = [number for number, kind in enumerate(kinds(message, place)) if kind == "nest"]
    return found[-1] if found else None


def _fields(kind: Descriptor, seen: set[str]) -> set[str]:
    found: set[str] = set()
    if kind.full_name in seen:
        return found
    seen.add(kind.full_name)
    for field in kind.fields:
        inner = field.message_type
        if not kind.GetOptions().map_entry:
            found.add(field.full_name)
        if inner is not None:
            found |= _fields(inner, seen)
    return found


def _without(message: Message, field: str) -> Message:
    left = type(message)()
    left.CopyFrom(message)
    left.ClearField(field)
    return left


def test_an_extreme_changes_one_place() -> None:
    listing = pb.ListJobsRequest(page_size=5, labels={"a": "b"})
    made = []
    for place in places(listing):
        for number in range(extremes(listing, place)):
            changed = pb.ListJobsRequest()
            changed.CopyFrom(listing)
            set_extreme(changed, place, number)
            made.append(changed)
            assert _without(changed, place.field.name) == _without(listing, place.field.name)
    assert {-(2**31), 2**31 - 1, 0, 1_001} <= {one.page_size for one in made}
    assert any("\x1b" in one.page_token for one in made)
    assert any(len(one.statuses) > 1_000 for one in made)
    assert any(len(one.labels) > 1_000 for one in made)
    assert any("\x1b" in key for one in made for key in one.labels)


def test_a_text_may_be_none() -> None:
    with pytest.raises(UnicodeDecodeError):
        as_bytes(pb.GetJobRequest(job_id=NOT_UTF8)).decode()


def test_inputs_are_of_all_kinds() -> None:
    assert len(INPUTS) == len(set(INPUTS))
    assert any(data.endswith(TWICE) for data in INPUTS)
