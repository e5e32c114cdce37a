"""Qiskit's loops and switches as operations with blocks; what is inside of a block, the caller converts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from basicaer.client.conversion._expressions import classical_type, condition_to_proto, is_expression
from basicaer.client.conversion._frames import Columns, Frame, Names, Table
from basicaer.client.conversion._operations import FLOW_NAMES
from basicaer.v1 import circuit_pb2 as pb

__all__ = ["append_choice", "flow_to_proto"]

_Block = Callable[[Any], Columns]


def flow_to_proto(operation: Any, names: Names, frame: Frame, block: _Block) -> pb.Operation:
    """Return a while loop, for loop, switch, break or continue, with its blocks converted by `block`."""
    name = operation.name
    if name == "while_loop":
        condition = condition_to_proto(operation.condition, frame)
        loop = pb.WhileLoop(condition=condition, body=block(operation.blocks[0]).to_proto())
        return pb.Operation(name=name, while_loop=loop)
    if name == "for_loop":
        return pb.Operation(name=name, for_loop=_for_loop(operation, names, block))
    flow = pb.Operation(name=name)
    if name == "switch_case":
        flow.switch_case.target.CopyFrom(condition_to_proto(operation.target, frame))
        for values, case in operation.cases_specifier():
            numbers = [value for value in values if not type(value).__name__.startswith("_Default")]
            flow.switch_case.cases.add(
                values=[int(number) for number in numbers],
                is_default=len(numbers) < len(values),
                body=block(case).to_proto(),
            )
    return flow


def _for_loop(operation: Any, names: Names, block: _Block) -> pb.ForLoop:
    indices, parameter, body = operation.params
    loop = pb.ForLoop()
    if isinstance(indices, range):
        loop.range.CopyFrom(pb.IntegerRange(start=indices.start, stop=indices.stop, step=indices.step))
    elif indices:
        loop.values.extend(int(index) for index in indices)
    else:
        loop.range.CopyFrom(pb.IntegerRange(step=1))
    if parameter is None:
        loop.body.CopyFrom(block(body).to_proto())
    elif is_expression(parameter):
        loop.variable = names.add_variable(parameter.name, classical_type(parameter.type))
        names.variables[parameter.var] = loop.variable
        loop.body.CopyFrom(block(body).to_proto())
    else:
        kind = pb.ClassicalType(kind=pb.CLASSICAL_KIND_INT)
        loop.variable = names.add_variable(parameter.name, kind)
        outer = dict(names.bound_parameters)
        names.bound_parameters[parameter] = loop.variable
        names.loop_parameters.add(parameter)
        loop.body.CopyFrom(block(body).to_proto())
        names.bound_parameters = outer
    return loop


def append_choice(
    columns: Columns, table: Table, condition: pb.Expression, then_block: Columns, else_block: Columns | None
) -> None:
    """Append if and else. One plain instruction becomes that instruction with a condition."""
    if else_block is None and len(then_block.operations) == 1:
        only = table.entries[then_block.operations[0]]
        if only.name not in FLOW_NAMES and not only.HasField("condition"):
            guarded = pb.Operation()
            guarded.CopyFrom(only)
            guarded.condition.CopyFrom(condition)
            # The operation without a condition may be nobody's now.
            table.may_have_unused = True
            bits = then_block.qubits, then_block.clbits
            columns.append(table.intern(guarded), *bits, then_block.parameters, then_block.terms)
            return
    choice = pb.IfElse(condition=condition, then_block=then_block.to_proto())
    if else_block is not None:
        choice.else_block.CopyFrom(else_block.to_proto())
    columns.operations.append(table.add(pb.Operation(name="if_else", if_else=choice)))
