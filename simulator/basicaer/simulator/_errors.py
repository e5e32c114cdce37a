"""Every error that the simulator raises on purpose, so that a caller can tell bad input from a failed run.

SimulatorError
├── CircuitError          the circuit is not valid; `path` says where
├── OptionError           an option of the call is not valid; `option` names it
├── SimulationCancelled   RunControl.cancel() was called
└── SimulationFailed      a valid circuit could not be finished, such as a division by zero while it ran
"""

from __future__ import annotations


class SimulatorError(Exception):
    """The base of the simulator's errors.

    `message` is the text for people: the cause, and what to do about it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class CircuitError(SimulatorError):
    """The circuit is not valid.

    `path` leads to the fault, from the circuit inwards, such as `("body", 12)` for the thirteenth
    instruction, `("operations", 3, "matrix")`, or `("operations", 4, "then_block", 0)`. It is empty for the
    circuit as a whole.
    """

    def __init__(self, message: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.path = path

    def __str__(self) -> str:
        if not self.path:
            return self.message
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return f"{steps.removeprefix('.')}: {self.message}"


class OptionError(SimulatorError):
    """An option of the call is not valid. `option` is its name, such as `"shots"`."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


class SimulationCancelled(SimulatorError):  # noqa: N818 -- the caller wanted it: no error
    """The run was stopped by `RunControl.cancel`. It leaves no result."""

    def __init__(self, message: str = "the simulation was cancelled") -> None:
        super().__init__(message)


class SimulationFailed(SimulatorError):  # noqa: N818 -- named beside SimulationCancelled
    """A valid circuit could not be finished, because of a value that is only known while it runs."""
