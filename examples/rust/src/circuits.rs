//! Circuits as the contract's messages, and jobs of them.

use crate::v1::{
    Block, Circuit, Expression, JobSpec, Literal, Operation, Program, RunOptions, WhileLoop, expression,
    literal, program::Source,
};

/// A Bell pair, measured.
pub fn bell() -> Circuit {
    Circuit {
        num_qubits: 2,
        num_clbits: 2,
        operations: vec![operation("h"), operation("cx"), operation("measure")],
        body: Some(Block {
            operations: vec![0, 1, 2, 2],
            qubits: vec![0, 0, 1, 0, 1],
            clbits: vec![0, 1],
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A Hadamard gate on each qubit.
pub fn superposition(qubits: u32) -> Circuit {
    Circuit {
        num_qubits: qubits,
        operations: vec![operation("h")],
        body: Some(Block {
            operations: vec![0; qubits as usize],
            qubits: (0..qubits).collect(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A loop that only CancelJob ends.
pub fn endless() -> Circuit {
    let always = Literal { value: Some(literal::Value::BoolValue(true)) };
    let turn = WhileLoop {
        condition: Some(Expression { kind: Some(expression::Kind::Literal(always)), r#type: None }),
        body: Some(Block { operations: vec![0], qubits: vec![0], ..Default::default() }),
    };
    let while_loop = Operation { while_loop: Some(turn), ..operation("while_loop") };
    Circuit {
        num_qubits: 1,
        num_clbits: 1,
        operations: vec![operation("x"), while_loop, operation("measure")],
        body: Some(Block { operations: vec![1, 2], qubits: vec![0], clbits: vec![0], ..Default::default() }),
        ..Default::default()
    }
}

/// A job of one circuit for a backend.
pub fn on(backend: &str, circuit: Circuit) -> JobSpec {
    JobSpec {
        backend_name: backend.into(),
        programs: vec![Program { source: Some(Source::Circuit(circuit)), ..Default::default() }],
        options: Some(RunOptions { seed_simulator: Some(7), ..Default::default() }),
        ..Default::default()
    }
}

fn operation(name: &str) -> Operation {
    Operation { name: name.into(), ..Default::default() }
}
