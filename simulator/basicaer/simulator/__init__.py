"""A state-vector simulator: circuits in, amplitudes and counts out. It knows nothing of jobs or of gRPC.

Qubit 0 is the least significant bit of a state's index, classical bit 0 that of an outcome.

>>> circuit = Circuit.from_gates(2, [("h", [0]), ("cx", [0, 1])])
>>> statevector(circuit)
array([0.70710678+0.j, 0.        +0.j, 0.        +0.j, 0.70710678+0.j])
"""

from basicaer.simulator._binding import Template, bind
from basicaer.simulator._circuit import Circuit, Instruction
from basicaer.simulator._compiled import CompiledCircuit
from basicaer.simulator._control import RunControl
from basicaer.simulator._errors import (
    CircuitError,
    OptionError,
    SimulationCancelled,
    SimulationFailed,
    SimulatorError,
)
from basicaer.simulator._expressions import (
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
from basicaer.simulator._gate_table import GATES
from basicaer.simulator._gates import GateSpec
from basicaer.simulator._memory import required_bytes
from basicaer.simulator._operations import (
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
from basicaer.simulator._options import program_seed
from basicaer.simulator._run import RunResult, chop, run, statevector, unitary
from basicaer.simulator._validation import validate
from basicaer.simulator._warm import told_of_compiling, warm_up

__all__ = [
    "GATES",
    "Binary",
    "BinaryOperator",
    "Block",
    "Call",
    "Case",
    "Cast",
    "Circuit",
    "CircuitError",
    "ClassicalKind",
    "ClassicalType",
    "ClbitRef",
    "CompiledCircuit",
    "Expression",
    "ForLoop",
    "GateSpec",
    "IfElse",
    "Index",
    "Initialize",
    "Instruction",
    "Literal",
    "MathFunction",
    "Observable",
    "Operation",
    "OptionError",
    "Reference",
    "Register",
    "RegisterRef",
    "RunControl",
    "RunResult",
    "Save",
    "SaveKind",
    "SimulationCancelled",
    "SimulationFailed",
    "SimulatorError",
    "Store",
    "SwitchCase",
    "Template",
    "Unary",
    "UnaryOperator",
    "Variable",
    "VariableRef",
    "WhileLoop",
    "bind",
    "chop",
    "program_seed",
    "required_bytes",
    "run",
    "statevector",
    "told_of_compiling",
    "unitary",
    "validate",
    "warm_up",
]
