"""A state-vector simulator: circuits in, amplitudes and counts out. It knows nothing of jobs or of gRPC.

Qubit 0 is the least significant bit of a state's index, classical bit 0 that of an outcome.

>>> circuit = Circuit.from_gates(2, [("h", [0]), ("cx", [0, 1])])
>>> statevector(circuit)
array([0.70710678+0.j, 0.        +0.j, 0.        +0.j, 0.70710678+0.j])
"""

from basicaer.simulator._abilities import RunRequest
from basicaer.simulator._control import RunControl
from basicaer.simulator._detectors import DetectorSamples, sample_detectors
from basicaer.simulator._errors import (
    CircuitError,
    OptionError,
    SimulationCancelled,
    SimulationFailed,
    SimulatorError,
    StimTextError,
)
from basicaer.simulator._memory import required_bytes, saved_bytes, sure_saves
from basicaer.simulator._methods import (
    MethodChoice,
    MethodName,
    bond_bound,
    choose_method,
    method_bytes,
)
from basicaer.simulator._options import program_seed
from basicaer.simulator._outcomes import chop
from basicaer.simulator._pausing import current_pause, pausing
from basicaer.simulator._run import RunResult, run, statevector, unitary
from basicaer.simulator._warm import told_of_compiling, warm_up
from basicaer.simulator.circuit._channels import Channel
from basicaer.simulator.circuit._circuit import Circuit, Instruction
from basicaer.simulator.circuit._expressions import (
    Binary,
    BinaryOperator,
    Call,
    Cast,
    ClassicalKind,
    ClassicalType,
    ClbitRef,
    Expression,
    Index,
    Literal,
    MathFunction,
    Reference,
    RegisterRef,
    Unary,
    UnaryOperator,
    VariableRef,
)
from basicaer.simulator.circuit._gate_table import GATES
from basicaer.simulator.circuit._gates import GateSpec
from basicaer.simulator.circuit._given_states import GivenKind, GivenState
from basicaer.simulator.circuit._operations import (
    Block,
    Case,
    ForLoop,
    IfElse,
    Initialize,
    Observable,
    Operation,
    Register,
    Save,
    SaveKind,
    Store,
    SwitchCase,
    Variable,
    WhileLoop,
)
from basicaer.simulator.circuit._readout_error import ReadoutError
from basicaer.simulator.compiler._binding import Template, bind
from basicaer.simulator.compiler._valid import ValidCircuit
from basicaer.simulator.compiler._validation import validate
from basicaer.simulator.gradients import Gradients
from basicaer.simulator.methods.matrix_product_state._options import Cuts, MatrixProductStateOptions
from basicaer.simulator.methods.statevector._background import (
    compiling_apart,
    is_compiling,
    waiting_for_kernels,
)
from basicaer.simulator.noise import LateChannel, NoiseModel
from basicaer.simulator.stim_text._reader import StimText, read_stim, read_text

CompiledCircuit = ValidCircuit
"""The older name of `ValidCircuit`: it is checked, and compiled when it is first needed."""

__all__ = [
    "GATES",
    "Binary",
    "BinaryOperator",
    "Block",
    "Call",
    "Case",
    "Cast",
    "Channel",
    "Circuit",
    "CircuitError",
    "ClassicalKind",
    "ClassicalType",
    "ClbitRef",
    "CompiledCircuit",
    "Cuts",
    "DetectorSamples",
    "Expression",
    "ForLoop",
    "GateSpec",
    "GivenKind",
    "GivenState",
    "Gradients",
    "IfElse",
    "Index",
    "Initialize",
    "Instruction",
    "LateChannel",
    "Literal",
    "MathFunction",
    "MatrixProductStateOptions",
    "MethodChoice",
    "MethodName",
    "NoiseModel",
    "Observable",
    "Operation",
    "OptionError",
    "ReadoutError",
    "Reference",
    "Register",
    "RegisterRef",
    "RunControl",
    "RunRequest",
    "RunResult",
    "Save",
    "SaveKind",
    "SimulationCancelled",
    "SimulationFailed",
    "SimulatorError",
    "StimText",
    "StimTextError",
    "Store",
    "SwitchCase",
    "Template",
    "Unary",
    "UnaryOperator",
    "ValidCircuit",
    "Variable",
    "VariableRef",
    "WhileLoop",
    "bind",
    "bond_bound",
    "choose_method",
    "chop",
    "compiling_apart",
    "current_pause",
    "is_compiling",
    "method_bytes",
    "pausing",
    "program_seed",
    "read_stim",
    "read_text",
    "required_bytes",
    "run",
    "sample_detectors",
    "saved_bytes",
    "statevector",
    "sure_saves",
    "told_of_compiling",
    "unitary",
    "validate",
    "waiting_for_kernels",
    "warm_up",
]
