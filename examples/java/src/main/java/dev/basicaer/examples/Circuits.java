package dev.basicaer.examples;

import dev.basicaer.v1.Block;
import dev.basicaer.v1.Circuit;
import dev.basicaer.v1.Expression;
import dev.basicaer.v1.JobSpec;
import dev.basicaer.v1.Literal;
import dev.basicaer.v1.Operation;
import dev.basicaer.v1.Program;
import dev.basicaer.v1.RunOptions;
import dev.basicaer.v1.WhileLoop;
import java.util.List;

/** Circuits as the contract's messages, and jobs of them. */
public final class Circuits {
  private Circuits() {}

  /** A Bell pair, measured. */
  public static Circuit bell() {
    return Circuit.newBuilder()
        .setNumQubits(2)
        .setNumClbits(2)
        .addOperations(operation("h"))
        .addOperations(operation("cx"))
        .addOperations(operation("measure"))
        .setBody(
            Block.newBuilder()
                .addAllOperations(List.of(0, 1, 2, 2))
                .addAllQubits(List.of(0, 0, 1, 0, 1))
                .addAllClbits(List.of(0, 1)))
        .build();
  }

  /** A Hadamard gate on each qubit. */
  public static Circuit superposition(int qubits) {
    Block.Builder body = Block.newBuilder();
    for (int qubit = 0; qubit < qubits; qubit++) {
      body.addOperations(0).addQubits(qubit);
    }
    return Circuit.newBuilder()
        .setNumQubits(qubits)
        .addOperations(operation("h"))
        .setBody(body)
        .build();
  }

  /** A loop that only CancelJob ends. */
  public static Circuit endless() {
    WhileLoop.Builder loop =
        WhileLoop.newBuilder()
            .setCondition(
                Expression.newBuilder().setLiteral(Literal.newBuilder().setBoolValue(true)))
            .setBody(Block.newBuilder().addOperations(0).addQubits(0));
    return Circuit.newBuilder()
        .setNumQubits(1)
        .setNumClbits(1)
        .addOperations(operation("x"))
        .addOperations(operation("while_loop").setWhileLoop(loop))
        .addOperations(operation("measure"))
        .setBody(Block.newBuilder().addOperations(1).addOperations(2).addQubits(0).addClbits(0))
        .build();
  }

  /** A job of one circuit for a backend. */
  public static JobSpec on(String backend, Circuit circuit) {
    return JobSpec.newBuilder()
        .setBackendName(backend)
        .addPrograms(Program.newBuilder().setCircuit(circuit))
        .setOptions(RunOptions.newBuilder().setSeedSimulator(7))
        .build();
  }

  private static Operation.Builder operation(String name) {
    return Operation.newBuilder().setName(name);
  }
}
