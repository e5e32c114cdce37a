/** Circuits as the contract's messages, and jobs of them. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";

import { CircuitSchema, type Circuit } from "./gen/basicaer/v1/circuit_pb.js";
import { JobSpecSchema, type JobSpec } from "./gen/basicaer/v1/job_pb.js";

/** A Bell pair, measured. */
export const bell = create(CircuitSchema, {
  numQubits: 2,
  numClbits: 2,
  operations: [{ name: "h" }, { name: "cx" }, { name: "measure" }],
  body: { operations: [0, 1, 2, 2], qubits: [0, 0, 1, 0, 1], clbits: [0, 1] },
});

/** A Hadamard gate on each qubit. */
export function superposition(numQubits: number): Circuit {
  const qubits = Array.from({ length: numQubits }, (_, qubit) => qubit);
  return create(CircuitSchema, {
    numQubits,
    operations: [{ name: "h" }],
    body: { operations: qubits.map(() => 0), qubits },
  });
}

const always = { kind: { case: "literal", value: { value: { case: "boolValue", value: true } } } } as const;

/** A loop that only CancelJob ends. */
export const endless = create(CircuitSchema, {
  numQubits: 1,
  numClbits: 1,
  operations: [
    { name: "x" },
    { name: "while_loop", whileLoop: { condition: always, body: { operations: [0], qubits: [0] } } },
    { name: "measure" },
  ],
  body: { operations: [1, 2], qubits: [0], clbits: [0] },
});

/** A job of one circuit for a backend. */
export function on(backendName: string, circuit: MessageInitShape<typeof CircuitSchema>): JobSpec {
  return create(JobSpecSchema, {
    backendName,
    programs: [{ source: { case: "circuit", value: circuit } }],
    options: { seedSimulator: 7n },
  });
}
