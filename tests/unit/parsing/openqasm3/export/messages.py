"""The simulator's circuits as the contract's messages, for tests that make random ones."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from basicaer import simulator as sim
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["message"]


def message(circuit: sim.Circuit) -> pb.Circuit:
    """Returns a circuit as a message."""
    return pb.Circuit(
        global_phase=circuit.global_phase,
        num_qubits=circuit.num_qubits,
        num_clbits=circuit.num_clbits,
        quantum_registers=[_register(each) for each in circuit.quantum_registers],
        classical_registers=[_register(each) for each in circuit.classical_registers],
        variables=[
            pb.Variable(name=each.name, type=_type(each.type), input=each.is_input)
            for each in circuit.variables
        ],
        operations=[_operation(each) for each in circuit.operations],
        body=_block(circuit.body),
    )


def _register(register: sim.Register) -> pb.Register:
    return pb.Register(name=register.name, size=register.size, bits=register.bits)


def _number(member: IntEnum) -> Any:
    """The number of a member of one of the simulator's enumerations, which are numbered as the contract's."""
    return int(member)


def _type(type_: sim.ClassicalType | None) -> pb.ClassicalType | None:
    return None if type_ is None else pb.ClassicalType(kind=_number(type_.kind), width=type_.width)


def _block(block: sim.Block) -> pb.Block:
    return pb.Block(
        operations=block.operations.tolist(),
        qubits=block.qubits.tolist(),
        clbits=block.clbits.tolist(),
        parameters=block.parameters.tolist(),
        term_parameters=block.term_parameters.tolist(),
        term_variables=block.term_variables.tolist(),
        term_factors=block.term_factors.tolist(),
    )


def _operation(operation: sim.Operation) -> pb.Operation:
    made = pb.Operation(
        name=operation.name,
        num_qubits=operation.num_qubits,
        num_clbits=operation.num_clbits,
        num_parameters=operation.num_parameters,
        num_controls=operation.num_controls,
        control_state=operation.control_state,
        parameter_expressions=[_expression(each) for each in operation.parameter_expressions],
        unit=operation.unit,
    )
    if operation.condition is not None:
        made.condition.CopyFrom(_expression(operation.condition))
    if operation.matrix is not None:
        made.matrix.CopyFrom(_array(operation.matrix))
    if operation.initialize is not None:
        state = operation.initialize
        if state.amplitudes is not None:
            made.initialize.amplitudes.CopyFrom(_array(state.amplitudes))
        elif state.label is not None:
            made.initialize.label = state.label
        else:
            made.initialize.basis_state = state.basis_state or 0
    if operation.store is not None:
        made.store.value.CopyFrom(_expression(operation.store.value))
        match operation.store.target:
            case sim.ClbitRef(index):
                made.store.clbit = index
            case sim.RegisterRef(index):
                made.store.register = index
            case sim.VariableRef(index):
                made.store.variable = index
    _add_flow(made, operation)
    return made


def _add_flow(made: pb.Operation, operation: sim.Operation) -> None:
    if (choice := operation.if_else) is not None:
        made.if_else.condition.CopyFrom(_expression(choice.condition))
        made.if_else.then_block.CopyFrom(_block(choice.then_block))
        if choice.else_block is not None:
            made.if_else.else_block.CopyFrom(_block(choice.else_block))
    if (repeated := operation.while_loop) is not None:
        made.while_loop.condition.CopyFrom(_expression(repeated.condition))
        made.while_loop.body.CopyFrom(_block(repeated.body))
    if (loop := operation.for_loop) is not None:
        if isinstance(loop.values, range):
            turns = loop.values
            made.for_loop.range.CopyFrom(pb.IntegerRange(start=turns.start, stop=turns.stop, step=turns.step))
        elif loop.values:
            made.for_loop.values.extend(loop.values)
        else:
            made.for_loop.range.step = 1
        if loop.variable is not None:
            made.for_loop.variable = loop.variable
        made.for_loop.body.CopyFrom(_block(loop.body))
    if (switch := operation.switch_case) is not None:
        made.switch_case.target.CopyFrom(_expression(switch.target))
        for case in switch.cases:
            made.switch_case.cases.add(values=case.values, is_default=case.is_default, body=_block(case.body))


def _array(values: np.ndarray[tuple[int, ...], np.dtype[np.complex128]]) -> pb.ComplexArray:
    return pb.ComplexArray(shape=values.shape, data=values.astype("<c16").tobytes())


def _expression(expression: sim.Expression) -> pb.Expression:
    made = pb.Expression(type=_type(expression.type))
    match expression:
        case sim.Literal(value):
            if isinstance(value, bool):
                made.literal.bool_value = value
            elif isinstance(value, float):
                made.literal.float_value = value
            elif value < 0:
                made.literal.int_value = value
            elif value < 1 << 64:
                made.literal.uint_value = value
            else:
                made.literal.wide_value = value.to_bytes((value.bit_length() + 7) // 8, "little")
        case sim.ClbitRef(index):
            made.clbit = index
        case sim.RegisterRef(index):
            made.register = index
        case sim.VariableRef(index):
            made.variable = index
        case sim.Unary(operator, operand):
            made.unary.operator = _number(operator)
            made.unary.operand.CopyFrom(_expression(operand))
        case sim.Binary(operator_, left, right):
            made.binary.operator = _number(operator_)
            made.binary.left.CopyFrom(_expression(left))
            made.binary.right.CopyFrom(_expression(right))
        case sim.Cast(operand):
            made.cast.CopyFrom(_expression(operand))
        case sim.Index(target, index_):
            made.index.target.CopyFrom(_expression(target))
            made.index.index.CopyFrom(_expression(index_))
        case sim.Call(function, argument):
            made.call.function = _number(function)
            made.call.argument.CopyFrom(_expression(argument))
    return made
