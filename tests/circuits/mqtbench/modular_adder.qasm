OPENQASM 3.0;
include "stdgates.inc";
gate mcmt _gate_q_0, _gate_q_1, _gate_q_2, _gate_q_3, _gate_q_4, _gate_q_5 {
  cx _gate_q_0, _gate_q_1;
  cx _gate_q_0, _gate_q_2;
  cx _gate_q_0, _gate_q_3;
  cx _gate_q_0, _gate_q_4;
  cx _gate_q_0, _gate_q_5;
}
gate rccx _gate_q_0, _gate_q_1, _gate_q_2 {
  h _gate_q_2;
  t _gate_q_2;
  cx _gate_q_1, _gate_q_2;
  tdg _gate_q_2;
  cx _gate_q_0, _gate_q_2;
  t _gate_q_2;
  cx _gate_q_1, _gate_q_2;
  tdg _gate_q_2;
  h _gate_q_2;
}
gate ModularAdder _gate_q_0, _gate_q_1, _gate_q_2, _gate_q_3, _gate_q_4, _gate_q_5 {
  mcmt _gate_q_2, _gate_q_0, _gate_q_1, _gate_q_3, _gate_q_4, _gate_q_5;
  cx _gate_q_2, _gate_q_3;
  cx _gate_q_0, _gate_q_2;
  rccx _gate_q_3, _gate_q_2, _gate_q_0;
  cx _gate_q_0, _gate_q_2;
  cx _gate_q_2, _gate_q_4;
  cx _gate_q_1, _gate_q_2;
  rccx _gate_q_4, _gate_q_2, _gate_q_1;
  cx _gate_q_1, _gate_q_2;
  cx _gate_q_2, _gate_q_5;
  cx _gate_q_1, _gate_q_2;
  rccx _gate_q_4, _gate_q_2, _gate_q_1;
  cx _gate_q_1, _gate_q_2;
  cx _gate_q_1, _gate_q_4;
  cx _gate_q_0, _gate_q_2;
  rccx _gate_q_3, _gate_q_2, _gate_q_0;
  cx _gate_q_0, _gate_q_2;
  cx _gate_q_0, _gate_q_3;
  mcmt _gate_q_2, _gate_q_0, _gate_q_1, _gate_q_3, _gate_q_4, _gate_q_5;
}
bit[6] meas;
qubit[6] q;
ModularAdder q[0], q[1], q[2], q[3], q[4], q[5];
barrier q[0], q[1], q[2], q[3], q[4], q[5];
meas[0] = measure q[0];
meas[1] = measure q[1];
meas[2] = measure q[2];
meas[3] = measure q[3];
meas[4] = measure q[4];
meas[5] = measure q[5];
