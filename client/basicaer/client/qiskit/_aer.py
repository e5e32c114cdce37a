"""Aer's simulator by its name, options and results, on a server: the backend's line is all that changes.

    from basicaer.client.qiskit import AerSimulator

    backend = AerSimulator(method="statevector")

What only tunes how Aer computes is taken without effect, since it changes no result; what asks for something
that a server can't do is refused by its name.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Self

from basicaer.client._errors import OptionInvalidError
from basicaer.client.jobs import _provider as plain
from basicaer.client.jobs._models_of_aer import has_other_passes
from basicaer.client.jobs._noise_model import NoiseModel
from basicaer.client.qiskit._backend import BasicAerBackend, BasicAerJob
from basicaer.client.qiskit._errors import both, translated
from basicaer.client.qiskit._provider import BasicAerProvider
from basicaer.client.qiskit._target import Device, coupling_of, split_names
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target

__all__ = ["AerSimulator"]

# The server's backend for each of Aer's methods; those that aren't here are refused.
_BACKENDS = {
    "automatic": "qasm_simulator",
    "statevector": "qasm_simulator",
    "density_matrix": "qasm_simulator",
    "stabilizer": "qasm_simulator",
    "matrix_product_state": "qasm_simulator",
    "superop": "qasm_simulator",
    "unitary": "unitary_simulator",
}
# How Aer computes: processors, memory, fusion, batches, and approximations of methods that aren't chosen.
_TUNING: Mapping[str, Any] = {
    "accept_distributed_results": None,
    "batched_shots_gpu": False,
    "batched_shots_gpu_max_qubits": 16,
    "blocking_enable": False,
    "blocking_qubits": None,
    "chunk_swap_buffer_qubits": None,
    "cuStateVec_enable": False,
    "enable_truncation": True,
    "executor": None,
    "extended_stabilizer_approximation_error": 0.05,
    "extended_stabilizer_metropolis_mixing_time": 5000,
    "extended_stabilizer_norm_estimation_repetitions": 3,
    "extended_stabilizer_norm_estimation_samples": 100,
    "extended_stabilizer_parallel_threshold": 100,
    "extended_stabilizer_probabilities_snapshot_samples": 3000,
    "extended_stabilizer_sampling_method": "resampled_metropolis",
    "fusion_enable": True,
    "fusion_max_qubit": None,
    "fusion_threshold": None,
    "fusion_verbose": False,
    "max_job_size": None,
    "max_memory_mb": None,
    "max_parallel_experiments": None,
    "max_parallel_shots": None,
    "max_shot_size": None,
    "mps_lapack": False,
    "mps_log_data": False,
    "mps_omp_threads": 1,
    "mps_parallel_threshold": 14,
    "mps_sample_measure_algorithm": "mps_heuristic",
    "mps_swap_direction": "mps_swap_left",
    "num_threads_per_device": 1,
    "runtime_parameter_bind_enable": False,
    "shot_branching_enable": False,
    "shot_branching_sampling_enable": False,
    "stabilizer_max_snapshot_probabilities": 32,
    "statevector_parallel_threshold": 14,
    "statevector_sample_measure_opt": 10,
    "tensor_network_num_sampling_qubits": 10,
    "use_cuTensorNet_autotuning": False,
    "validation_threshold": None,
    "zero_threshold": 1e-10,
}
# What `save_state` saves by a method that holds no state vector.
_OWN_STATES = {
    "density_matrix": "save_density_matrix",
    "stabilizer": "save_stabilizer",
    "matrix_product_state": "save_matrix_product_state",
    "unitary": "save_unitary",
    "superop": "save_superop",
}
_DEVICES = ("CPU",)
# What asks for a GPU by another name.
_ON_GPU = ("cuStateVec_enable", "use_cuTensorNet_autotuning")
# The bounds of matrix product states, with Aer's names and defaults, and the server's.
_BOUNDS = {
    "matrix_product_state_max_bond_dimension": "max_bond_dimension",
    "matrix_product_state_truncation_threshold": "truncation_threshold",
}
_BOUND_DEFAULTS = {
    "matrix_product_state_max_bond_dimension": None,
    "matrix_product_state_truncation_threshold": 1e-16,
}


class AerSimulator(BasicAerBackend):
    """Aer's simulator, on a server. Its options are Aer's, each with Aer's default."""

    def __init__(
        self, provider: BasicAerProvider | plain.BasicAerProvider | str | None = None, **options: Any
    ) -> None:
        """Connect to a server: a provider's, that of an address, or without either that of BASICAER_SERVER.

        Raises:
            OptionInvalidError: One of the options can't be followed.
            QiskitError: The server can't be reached.
        """
        if not isinstance(provider, BasicAerProvider):
            address = provider.address if isinstance(provider, plain.BasicAerProvider) else provider
            provider = BasicAerProvider(address)
        with translated():
            super().__init__(provider, provider.client.get_backend("qasm_simulator"))
        self._device: Device | None = None
        self._basis_gates: list[str] | None = None
        own = {"method": "automatic", "device": "CPU", "precision": "double", "noise_model": None}
        self._options = Options(
            **{**dict(self._options), **own, "memory": None, **_BOUND_DEFAULTS, **_TUNING}
        )
        self._defaults = copy.copy(self._options)
        self._name_by_method("automatic")
        self.set_options(**options)

    @classmethod
    def from_backend(
        cls,
        backend: Any,
        provider: BasicAerProvider | plain.BasicAerProvider | str | None = None,
        **options: Any,
    ) -> Self:
        """Return a simulator of a device, a `BackendV2`: with its name, its target, and its noise unless
        options have a `noise_model`. Aer isn't needed.

        Raises:
            TypeError: It is no BackendV2.
            OptionInvalidError, QiskitError: See the constructor.
        """
        if not isinstance(backend, BackendV2):
            raise TypeError(f"a BackendV2 is needed, not a {type(backend).__name__}")
        if "noise_model" not in options:
            with translated():
                options["noise_model"] = NoiseModel.from_backend(backend)
        made = cls(provider)
        made._device = Device(f"aer_simulator_from({backend.name})", backend.target, backend.description)
        made.set_options(**options)
        made._name_by_method(str(made._options.method))
        return made

    @property
    def target(self) -> Target:
        """The gates and instructions that `transpile` may use: a device's own, and those of a simulator; or
        of all gates those of a noise model, and those that the option `basis_gates` has.
        """
        if self._device is not None:
            return self._device.target
        model = getattr(getattr(self._options, "noise_model", None), "basis_gates", None)
        only = self._basis_gates if model is None or self._basis_gates is not None else model
        return self._target_of(only)

    def configuration(self) -> SimpleNamespace:
        """Return the facts under the names of BackendV1's configuration."""
        found = self._client.configuration()
        target = self.target
        gates, others = split_names(target)
        found.backend_name, found.description = str(self.name), self.description
        found.basis_gates, found.custom_instructions = [*gates, *others], others
        if self._device is not None:
            found.n_qubits = target.num_qubits
            found.coupling_map = coupling_of(target)
        found.num_qubits = found.n_qubits
        return found

    def clear_options(self) -> None:
        """Give all options their defaults."""
        self._options, self._basis_gates = copy.copy(self._defaults), None
        self._name_by_method("automatic")

    def available_methods(self) -> tuple[str, ...]:
        """Return the methods that `method` may name."""
        return tuple(_BACKENDS)

    def available_devices(self) -> tuple[str, ...]:
        """Return the devices that `device` may name."""
        return _DEVICES

    def set_options(self, **fields: Any) -> None:
        """Change options of this backend.

        Raises:
            OptionInvalidError: There is no such option, or it can't be followed.
        """
        for name, value in fields.items():
            if name not in self._options and name != "basis_gates":
                raise _refused(
                    name, f"there is none of this name; there are {', '.join(dict(self._options))}"
                )
            self._check(name, value)
        if "basis_gates" in fields:
            gates = fields.pop("basis_gates")
            self._basis_gates = None if gates is None else list(gates)
        # None stands for the default, as in Aer.
        given = {name: self._defaults[name] if value is None else value for name, value in fields.items()}
        self._options.update_options(**given)
        if "method" in fields:
            self._name_by_method(str(fields["method"] or "automatic"))

    def set_option(self, key: str, value: Any) -> None:
        """Change one option, or give it its default by None. Raises as `set_options`."""
        self.set_options(**{key: value})

    def run(  # type: ignore[override]  # callers give Aer's arguments by place, which aren't BackendV2's
        self, circuits: Any, parameter_binds: Any = None, validate: bool = False, **run_options: Any
    ) -> BasicAerJob:
        """Submit circuits as Aer's own simulator runs them. `validate` has no effect: the server always does.

        Further arguments are options for this run, or those of `BasicAerBackend.run`.

        Raises:
            OptionInvalidError, QiskitError: See `BasicAerBackend.run`.
        """
        for name, value in run_options.items():
            self._check(name, value)
        method = str(run_options.pop("method", None) or self._options.method or "automatic")
        if method == "automatic" and _has_matrix(circuits):
            method = "unitary"
        circuits = _with_own_state(circuits, method)
        runner = copy.copy(self)
        with translated():
            runner._client = self._provider.client.get_backend(_BACKENDS[method])
        runner._option_names = {option.name for option in runner._client._info.options}
        bounds = {
            short: value
            for name, short in _BOUNDS.items()
            if (value := run_options.pop(name, None) or getattr(self._options, name)) != _BOUND_DEFAULTS[name]
        }
        if "method" in runner._option_names:
            run_options["method"] = method
            if bounds:
                run_options["matrix_product_state"] = bounds
        # A None is for a run without noise, whatever the backend's own.
        model = run_options.pop("noise_model", self._options.noise_model)
        runner._options.update_options(noise_model=None)
        if model:
            circuits, run_options["noise_model"] = _noisy(circuits, model)
            if "noise_model" not in runner._option_names:
                raise _refused("noise_model", f"{runner._client.name} runs without noise; leave it out")
        return super(AerSimulator, runner).run(circuits, parameter_binds=parameter_binds, **run_options)

    def _check(self, name: str, value: Any) -> None:
        if value is None or value is False:
            return
        if name == "method" and value not in _BACKENDS:
            raise _refused(name, f"{value!r} is none of {', '.join(_BACKENDS)}")
        if name in _ON_GPU and value:
            raise _refused(name, "the server computes on its processors; leave it out")
        if name == "device" and value not in _DEVICES:
            raise _refused(name, f"the server computes on its processors, not on {value!r}; leave it out")
        if name == "noise_model" and not (
            isinstance(value, NoiseModel) or hasattr(value, "_default_quantum_errors")
        ):
            raise _refused(name, "it is neither Aer's NoiseModel nor the client's")

    def _name_by_method(self, method: str) -> None:
        own = "aer_simulator" if method == "automatic" else f"aer_simulator_{method}"
        self.name = own if self._device is None else self._device.name

    def __reduce__(self) -> tuple[Any, ...]:
        kept = ("name", "_basis_gates", "_device")
        state = {name: getattr(self, name) for name in kept}
        return type(self), (self._provider,), {"_options": copy.copy(self._options), **state}

    def __repr__(self) -> str:
        return f"AerSimulator({str(self.name)!r})"


def _noisy(circuits: Any, model: Any) -> tuple[Any, NoiseModel]:
    """Return circuits and a noise model, as the client takes them."""
    if isinstance(model, NoiseModel):
        return circuits, model
    if has_other_passes(model):
        # What they put into circuits stands there; relaxation of delays among it, so no rule is for it.
        circuits, model = model._pass_manager().run(circuits), copy.copy(model)
        model._custom_noise_passes = []
    with translated():
        return circuits, NoiseModel.from_aer(model)


def _with_own_state(circuits: Any, method: str) -> Any:
    """Return circuits whose `save_state` saves what a method holds, as in Aer."""
    name = _OWN_STATES.get(method)
    if name is None:
        return circuits
    if isinstance(circuits, list | tuple):
        return [_with_own_state(circuit, method) for circuit in circuits]
    if not any(each.operation.name == "save_state" for each in getattr(circuits, "data", ())):
        return circuits
    found = circuits.copy_empty_like()
    for each in circuits.data:
        operation = each.operation
        if operation.name == "save_state":
            operation = copy.copy(operation)
            operation.name = name
        found.append(operation, each.qubits, each.clbits)
    return found


def _has_matrix(circuits: Any) -> bool:
    """Whether a circuit saves its unitary matrix or sets it, by which Aer chooses the method."""
    several = circuits if isinstance(circuits, list | tuple) else [circuits]
    return any(
        instruction.operation.name in ("save_unitary", "set_unitary")
        for circuit in several
        for instruction in getattr(circuit, "data", ())
    )


def _refused(name: str, why: str) -> Exception:
    return both(
        OptionInvalidError(
            f"The option {name} can't be followed: {why}.",
            reason="OPTION_INVALID",
            metadata={"field": f"options.{name}"},
        )
    )
