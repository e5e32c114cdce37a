"""Times and texts of any kind that a user may give: taken for what they mean, or refused in words."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from basicaer.client import (
    AsyncBasicAerProvider,
    BasicAerError,
    BasicAerProvider,
    Circuit,
    CircuitError,
    JobTimeoutError,
    OptionInvalidError,
    Program,
    ResultNotReadyError,
)
from basicaer.client._times import given_seconds
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import ServerProcess

NO_TIMES: tuple[Any, ...] = (
    *(
        float("nan"),
        np.nan,
        np.float32("nan"),
        "x",
        "5",
        b"5",
        True,
        False,
        np.True_,
        [],
        [1.0],
        {},
        ...,
    ),
    *(1j, np.array([1.0, 2.0]), "nan"),
)
SHORT: tuple[Any, ...] = (
    *(0, 0.01, -1, -5.5, -float("inf"), np.float64(0.01), np.int64(0), np.array(0.01), -(10**400)),
    *(timedelta(milliseconds=10), timedelta(seconds=-5), Fraction(1, 100)),
)
ENDLESS: tuple[Any, ...] = (
    *(None, float("inf"), np.inf, 1e300, 10**400, timedelta.max, 2**62, np.float64(1e18), 1e9 + 1),
)
BELL = Circuit(1, 1).h(0).measure([0], [0])


def endless() -> Circuit:
    circuit = Circuit(1, 1)
    with circuit.while_loop(circuit.bit(0).negated()):
        circuit.x(0)
    return circuit


@pytest.mark.parametrize("value", NO_TIMES, ids=repr)
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(OptionInvalidError, match="timeout is a number of seconds"):
        given_seconds("timeout", value)


@pytest.mark.parametrize("value", ENDLESS, ids=repr)
def test_what_has_no_end(value: Any) -> None:
    assert given_seconds("timeout", value) is None


@given(st.floats() | st.integers() | st.timedeltas() | st.fractions() | st.text() | st.none() | st.booleans())
def test_a_time_is_one_that_can_be_waited_for(value: Any) -> None:
    try:
        seconds = given_seconds("timeout", value)
    except OptionInvalidError:
        return
    assert seconds is None or 0.0 <= seconds <= 1e9


# Every method of a job that takes a timeout.
WAITS = ("result", "partial_result", "wait_for_final_state", "events", "read_array", "submit")


def _wait(job: Any, name: str, timeout: Any) -> Any:
    arguments = (0, "x") if name == "read_array" else ()
    return getattr(job, name)(*arguments, timeout=timeout)


def test_all_waits_are_tried() -> None:
    with BasicAerProvider("127.0.0.1:1") as provider:
        kind = inspect.get_annotations(type(provider).retrieve_job, eval_str=False)["return"]
    from basicaer.client import AsyncBasicAerJob, BasicAerJob

    assert kind == "BasicAerJob"
    for made in (BasicAerJob, AsyncBasicAerJob):
        public = inspect.getmembers(made, inspect.isfunction)
        found = {name for name, method in public if "timeout" in inspect.signature(method).parameters}
        assert {name for name in found if not name.startswith("_")} == set(WAITS)


@pytest.mark.parametrize("name", [name for name in WAITS if name != "submit"])
def test_waits_take_times_of_any_kind(server: ServerProcess, name: str) -> None:
    with BasicAerProvider(server.address) as provider:
        backend = provider.get_backend("qasm_simulator")
        job, done = backend.run(endless()), backend.run(BELL, shots=5)
        done.result()
        try:
            for value in NO_TIMES:
                for either in (job, done):
                    with pytest.raises(OptionInvalidError):
                        _took(_wait(either, name, value))
            # A read doesn't wait for the job's end: a server that is quick enough says that it isn't there.
            late = (JobTimeoutError, ResultNotReadyError) if name == "read_array" else JobTimeoutError
            for value in SHORT:
                with pytest.raises(late):
                    _took(_wait(job, name, value))
            for value in ENDLESS:
                if name != "read_array":
                    _took(_wait(done, name, value))
        finally:
            job.cancel()


def _took(value: Any) -> None:
    if inspect.isgenerator(value):
        list(value)


def test_submissions_and_providers_take_times_of_any_kind(server: ServerProcess) -> None:
    for value in NO_TIMES:
        for name in ("timeout", "max_outage"):
            with pytest.raises(OptionInvalidError, match=name):
                BasicAerProvider(server.address, **{name: value})
            with pytest.raises(OptionInvalidError, match=name):
                AsyncBasicAerProvider(server.address, **{name: value})
    for value in ENDLESS:
        with BasicAerProvider(server.address, timeout=value, max_outage=value) as provider:
            backend = provider.get_backend("qasm_simulator")
            assert backend.run(BELL, timeout=value, shots=5).result(value).success
    with BasicAerProvider(server.address) as provider:
        backend = provider.get_backend("qasm_simulator")
        for value in NO_TIMES:
            with pytest.raises(OptionInvalidError):
                backend.run(BELL, timeout=value)
            with pytest.raises(OptionInvalidError):
                backend.run(BELL).wait_for_final_state(wait=value, callback=lambda *_: None)
            ended = backend.run(BELL)
            ended.result()
            with pytest.raises(OptionInvalidError):
                ended.wait_for_final_state(wait=value, callback=lambda *_: None)
        seen: list[str] = []
        job = backend.run(endless())

        def look(job_id: str, *_: object) -> None:
            seen.append(job_id)
            if len(seen) == 3:
                job.cancel()

        pause: Any = timedelta(milliseconds=20)
        # An end comes only by the third call.
        job.wait_for_final_state(wait=pause, callback=look)
        assert seen[:3] == [job.job_id()] * 3


def test_the_asyncio_twin_takes_them_too(server: ServerProcess) -> None:
    async def wait() -> None:
        async with AsyncBasicAerProvider(server.address) as provider:
            backend = await provider.get_backend("qasm_simulator")
            job, done = await backend.run(endless()), await backend.run(BELL, shots=5)
            try:
                for value in NO_TIMES:
                    with pytest.raises(OptionInvalidError):
                        await job.result(value)
                    with pytest.raises(OptionInvalidError):
                        await backend.run(BELL, timeout=value)
                    with pytest.raises(OptionInvalidError):
                        await job.wait_for_final_state(wait=value, callback=lambda *_: None)
                for value in SHORT:
                    with pytest.raises(JobTimeoutError):
                        await job.wait_for_final_state(value)
                for value in ENDLESS:
                    await done.wait_for_final_state(value)
                for broken in BROKEN:
                    with pytest.raises(OptionInvalidError):
                        await job.cancel(broken)
                    with pytest.raises(OptionInvalidError):
                        await provider.retrieve_job(broken)
            finally:
                await job.cancel()

    asyncio.run(wait())


BROKEN = ("\ud800", "a\udfffb", json.loads('"\\ud83d"'))
TEXTS: dict[str, Callable[[Any, str], object]] = {
    "circuit's name": lambda backend, text: backend.run(Circuit(1, name=text)),
    "register": lambda backend, text: backend.run(Circuit(1).add_classical_register(text, 1) and _with(text)),
    "quantum register": lambda backend, text: backend.run(_with(text, quantum=True)),
    "variable": lambda backend, text: backend.run(_with_variable(text)),
    "input": lambda backend, text: backend.run(_with_input(text)),
    "inputs": lambda backend, text: backend.run(Program(_with_input("a"), inputs={text: 1.0})),
    "gate": lambda backend, text: backend.run(Circuit(1).append(text, [0])),
    "gate's label": lambda backend, text: backend.run(Circuit(1).append("h", [0], label=text)),
    "unitary's label": lambda backend, text: backend.run(Circuit(1).unitary(np.eye(2), [0], label=text)),
    "unit": lambda backend, text: backend.run(Circuit(1).delay(1, 0, text)),
    "state": lambda backend, text: backend.run(Circuit(1).initialize(text, [0])),
    "save": lambda backend, text: backend.run(Circuit(1).save_statevector(text)),
    "probabilities": lambda backend, text: backend.run(Circuit(1).save_probabilities([0], text)),
    "expectation value": lambda backend, text: backend.run(
        Circuit(1).save_expectation_value("Z", [0], label=text)
    ),
    "observable": lambda backend, text: backend.run(Program(Circuit(1), observables=[text])),
    "program": lambda backend, text: backend.run(f"OPENQASM 2.0; // {text}"),
    "label": lambda backend, text: backend.run(BELL, labels={text: "a"}),
    "label's value": lambda backend, text: backend.run(BELL, labels={"a": text}),
    "request id": lambda backend, text: backend.run(BELL, request_id=text),
    "precision": lambda backend, text: backend.run(BELL, precision=text),
    "reason": lambda backend, text: backend.run(endless(), max_run_time=1.0).cancel(text),
    "job id": lambda backend, text: backend.provider.retrieve_job(text),
    "listing's label": lambda backend, text: next(backend.provider.jobs(labels={text: "a"})),
    "listing's backend": lambda backend, text: next(backend.provider.jobs(backend_name=text)),
    "backend": lambda backend, text: backend.provider.get_backend(text),
    "array": lambda backend, text: backend.run(BELL).read_array(0, text),
}


def _with(name: str, *, quantum: bool = False) -> Circuit:
    circuit = Circuit()
    circuit.add_quantum_register(name if quantum else "q", 1)
    circuit.add_classical_register("c" if quantum else name, 1)
    return circuit


def _with_variable(name: str) -> Circuit:
    circuit = Circuit(1)
    circuit.store(circuit.add_variable(name), 1)
    return circuit


def _with_input(name: str) -> Circuit:
    circuit = Circuit(1)
    return circuit.rx(circuit.add_input(name), 0)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_is_none_is_told_in_the_clients_words(server: ServerProcess, name: str) -> None:
    with BasicAerProvider(server.address) as provider:
        backend = provider.get_backend("qasm_simulator")
        for text in BROKEN:
            with pytest.raises(BasicAerError) as caught:
                TEXTS[name](backend, text)
            assert caught.value.message.isprintable()
            str(caught.value).encode()


def test_circuits_say_it_at_once_or_when_they_are_sent() -> None:
    with pytest.raises(CircuitError, match=r"'.ud800' can't be sent"):
        Circuit(1).save_statevector("\ud800")
    with pytest.raises(CircuitError, match=r"'.ud800' can't be sent"):
        Circuit(1, name="\ud800").to_message()
