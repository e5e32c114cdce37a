// Circuits to begin with.

export interface Example {
  name: string;
  language: "openqasm2" | "openqasm3";
  backendName: string;
  text: string;
}

export const EXAMPLES: readonly Example[] = [
  {
    name: "Bell pair",
    language: "openqasm3",
    backendName: "qasm_simulator",
    text: `OPENQASM 3.0;
include "stdgates.inc";

qubit[2] q;
bit[2] c;

h q[0];
cx q[0], q[1];
c = measure q;
`,
  },
  {
    name: "GHZ state, its amplitudes",
    language: "openqasm3",
    backendName: "statevector_simulator",
    text: `OPENQASM 3.0;
include "stdgates.inc";

qubit[4] q;

h q[0];
for int i in [0:2] {
  cx q[i], q[i + 1];
}
p(pi / 3) q[3];
`,
  },
  {
    name: "Teleportation, with corrections",
    language: "openqasm3",
    backendName: "qasm_simulator",
    text: `OPENQASM 3.0;
include "stdgates.inc";

qubit[3] q;
bit a;
bit b;
bit result;

// What is to be sent
ry(pi / 5) q[0];

// A pair that both sides share
h q[1];
cx q[1], q[2];

// The sender measures
cx q[0], q[1];
h q[0];
a = measure q[0];
b = measure q[1];

// The receiver corrects
if (b) x q[2];
if (a) z q[2];
result = measure q[2];
`,
  },
  {
    name: "Repeat until success",
    language: "openqasm3",
    backendName: "qasm_simulator",
    text: `OPENQASM 3.0;
include "stdgates.inc";

qubit[2] q;
bit failed = true;
bit outcome;

while (failed) {
  reset q;
  h q[0];
  ry(pi / 3) q[1];
  cx q[0], q[1];
  failed = measure q[1];
}
outcome = measure q[0];
`,
  },
  {
    name: "Grover's search (OpenQASM 2)",
    language: "openqasm2",
    backendName: "qasm_simulator",
    text: `OPENQASM 2.0;
include "qelib1.inc";

qreg q[3];
creg c[3];

h q;

// The oracle marks 101
x q[1];
h q[2];
ccx q[0], q[1], q[2];
h q[2];
x q[1];

// Inversion about the mean
h q;
x q;
h q[2];
ccx q[0], q[1], q[2];
h q[2];
x q;
h q;

measure q -> c;
`,
  },
  {
    name: "Quantum Fourier transform, as a matrix",
    language: "openqasm2",
    backendName: "unitary_simulator",
    text: `OPENQASM 2.0;
include "qelib1.inc";

qreg q[3];

h q[2];
cp(pi/2) q[1], q[2];
cp(pi/4) q[0], q[2];
h q[1];
cp(pi/2) q[0], q[1];
h q[0];
swap q[0], q[2];
`,
  },
];
