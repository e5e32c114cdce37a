"""The options of the primitives: fields that may be read and set, `sampler.options.default_shots = 4096`.

Their names are those that BackendSamplerV2, BackendEstimatorV2 and the primitives of IBM's Runtime have in
common.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from basicaer.client._errors import OptionInvalidError
from basicaer.client.qiskit._errors import translated

__all__ = ["EstimatorOptions", "SamplerOptions", "options_from", "run_options"]


class _Named:
    """Options by name. One that doesn't exist is an error: nothing that was asked for is passed over."""

    # Its children are dataclasses.
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def update(self, **fields: Any) -> None:
        """Set several options.

        Raises:
            AttributeError: For a name that isn't an option; then nothing has changed.
        """
        for name in fields:
            self._check(name)
        for name, value in fields.items():
            setattr(self, name, value)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """Take a pickle's fields, and the defaults of those that it lacks."""
        vars(self).update({**vars(type(self)()), **state})

    def __setattr__(self, name: str, value: Any) -> None:
        self._check(name)
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        self._check(name)
        raise AttributeError(name)

    def _check(self, name: str) -> None:
        known = [field.name for field in dataclasses.fields(self)]
        if name not in known:
            raise AttributeError(f"There is no option {name!r}. The options are: {', '.join(known)}.")


@dataclasses.dataclass
class SamplerOptions(_Named):
    """The options of a sampler.

    `default_shots` are the shots of a PUB that names none; `seed_simulator` is the seed of every job (None
    lets the server choose one); `run_options` are further options of `BasicAerBackend.run`: precision,
    max_parallel_threads, max_run_time, labels, metadata.
    `backend_options` are those of `AerSimulator`, such as noise_model and method, as in Aer's primitives.
    """

    default_shots: int = 1024
    seed_simulator: int | None = None
    run_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    backend_options: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class EstimatorOptions(_Named):
    """The options of an estimator.

    `default_precision` is the standard deviation of a PUB that names none, 0 for exact values;
    `seed_simulator` is the seed of every job (None lets the server choose one); `run_options` are further
    options of `BasicAerBackend.run`: shots (of circuits with random outcomes), precision (of the arithmetic),
    max_parallel_threads, max_run_time, labels, metadata.
    `backend_options` are those of `AerSimulator`, such as noise_model and method, as in Aer's primitives.
    """

    default_precision: float = 0.0
    seed_simulator: int | None = None
    run_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    backend_options: dict[str, Any] = dataclasses.field(default_factory=dict)


Kind = TypeVar("Kind", SamplerOptions, EstimatorOptions)


def options_from(
    kind: type[Kind], given: Kind | Mapping[str, Any] | None, run_options: Mapping[str, Any], **arguments: Any
) -> Kind:
    """Return options of their own: the given ones, then the constructor's arguments, as far as they aren't
    None.

    Raises:
        AttributeError: For a name that isn't an option.
    """
    made = kind()
    fields = dict(given) if isinstance(given, Mapping) else dict(vars(given)) if given is not None else {}
    made.update(**fields)
    made.update(**{name: value for name, value in arguments.items() if value is not None})
    own = {name: value for name, value in run_options.items() if value is not None}
    made.run_options = {**(made.run_options or {}), **own}
    return made


def run_options(options: SamplerOptions | EstimatorOptions) -> dict[str, Any]:
    """Return what a primitive's job is submitted with.

    Raises:
        OptionInvalidError: For the sampler's shots, which each PUB has.
    """
    found = dict(options.run_options or {})
    if isinstance(options, SamplerOptions) and found.get("shots") is not None:
        with translated():
            raise OptionInvalidError(
                "run_options has shots, but each PUB has its own; give default_shots, or shots to run().",
                reason="OPTION_INVALID",
                metadata={"field": "options.shots"},
            )
    if options.seed_simulator is not None:
        found["seed_simulator"] = options.seed_simulator
    return found
