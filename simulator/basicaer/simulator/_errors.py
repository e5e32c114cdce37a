"""Every error that the simulator raises on purpose, so that a caller can tell bad input from a failed run.

SimulatorError
├── CircuitError          the circuit is not valid; `path` says where
│   └── StimTextError     a text in stim's language is not; `line` and `column` say where
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


class StimTextError(CircuitError):
    """A text is no circuit in stim's language, or none that can be run.

    `line` and `column`, from 1 in characters, say where; `length` is that of what is meant. `limit` is the
    bound that the text exceeds, with how much is allowed and how much it has, or None.
    """

    def __init__(
        self,
        message: str,
        line: int,
        column: int,
        length: int = 1,
        *,
        limit: tuple[str, int, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.length = length
        self.limit = limit

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"
