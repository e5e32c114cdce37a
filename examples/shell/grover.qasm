// The largest independent sets of the Franklin graph, found by Grover's search.
//
// The graph has 12 vertices and 18 edges: a ring 0-1-…-11, and the chords 0-7, 1-6, 2-9, 3-8, 4-11, 5-10. A set
// of vertices is independent when no edge joins two of them. Among the 4,096 sets exactly 2 independent ones
// have 6 vertices (the even vertices, and the odd ones), and none has more; 35 rounds of the search raise
// their probability from 0.05 % to 99.9 %.
//
// The oracle counts f = (vertices in the set) - 2 (edges inside it) in a register of 5 qubits. For every
// graph f is at most the size of the largest independent set, which here is 6, and f = 6 for those sets
// alone. The counter works in the Fourier basis (T. G. Draper, arXiv:quant-ph/0008033): to add k is one phase
// on each of its qubits.
//
// Run it:   basicaer run examples/shell/grover.qasm --shots 4096
// Read an outcome from the right: bit i is 1 when vertex i is in the set.
OPENQASM 2.0;
include "qelib1.inc";

qreg v[12];    // the set: one qubit a vertex
qreg c[5];     // the counter, modulo 32; zero between the oracle's calls, and then scratch space
qreg a[3];     // scratch space, zero between gates
creg set[12];

// f += 1 when the vertex is in the set.
gate add_vertex v,c0,c1,c2,c3,c4 {
  cu1(pi/16) v,c0; cu1(pi/8) v,c1; cu1(pi/4) v,c2; cu1(pi/2) v,c3; cu1(pi) v,c4;
}
gate remove_vertex v,c0,c1,c2,c3,c4 {
  cu1(-pi/16) v,c0; cu1(-pi/8) v,c1; cu1(-pi/4) v,c2; cu1(-pi/2) v,c3; cu1(-pi) v,c4;
}

// f -= 2 when both ends of the edge are in the set.
gate subtract_edge u,w,a,c0,c1,c2,c3 {
  ccx u,w,a;
  cu1(-pi/8) a,c0; cu1(-pi/4) a,c1; cu1(-pi/2) a,c2; cu1(-pi) a,c3;
  ccx u,w,a;
}
gate restore_edge u,w,a,c0,c1,c2,c3 {
  ccx u,w,a;
  cu1(pi/8) a,c0; cu1(pi/4) a,c1; cu1(pi/2) a,c2; cu1(pi) a,c3;
  ccx u,w,a;
}

// Between the Fourier basis and plain binary, with the least significant bit in c4.
gate to_binary c0,c1,c2,c3,c4 {
  h c4;
  cu1(-pi/2) c4,c3; h c3;
  cu1(-pi/4) c4,c2; cu1(-pi/2) c3,c2; h c2;
  cu1(-pi/8) c4,c1; cu1(-pi/4) c3,c1; cu1(-pi/2) c2,c1; h c1;
  cu1(-pi/16) c4,c0; cu1(-pi/8) c3,c0; cu1(-pi/4) c2,c0; cu1(-pi/2) c1,c0; h c0;
}
gate to_fourier c0,c1,c2,c3,c4 {
  h c0; cu1(pi/2) c1,c0; cu1(pi/4) c2,c0; cu1(pi/8) c3,c0; cu1(pi/16) c4,c0;
  h c1; cu1(pi/2) c2,c1; cu1(pi/4) c3,c1; cu1(pi/8) c4,c1;
  h c2; cu1(pi/2) c3,c2; cu1(pi/4) c4,c2;
  h c3; cu1(pi/2) c4,c3;
  h c4;
}

// The whole count, and the same backwards.
gate count v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,c0,c1,c2,c3,c4,a0 {
  h c0; h c1; h c2; h c3; h c4;
  add_vertex v0,c0,c1,c2,c3,c4;
  add_vertex v1,c0,c1,c2,c3,c4;
  add_vertex v2,c0,c1,c2,c3,c4;
  add_vertex v3,c0,c1,c2,c3,c4;
  add_vertex v4,c0,c1,c2,c3,c4;
  add_vertex v5,c0,c1,c2,c3,c4;
  add_vertex v6,c0,c1,c2,c3,c4;
  add_vertex v7,c0,c1,c2,c3,c4;
  add_vertex v8,c0,c1,c2,c3,c4;
  add_vertex v9,c0,c1,c2,c3,c4;
  add_vertex v10,c0,c1,c2,c3,c4;
  add_vertex v11,c0,c1,c2,c3,c4;
  subtract_edge v0,v1,a0,c0,c1,c2,c3;
  subtract_edge v1,v2,a0,c0,c1,c2,c3;
  subtract_edge v2,v3,a0,c0,c1,c2,c3;
  subtract_edge v3,v4,a0,c0,c1,c2,c3;
  subtract_edge v4,v5,a0,c0,c1,c2,c3;
  subtract_edge v5,v6,a0,c0,c1,c2,c3;
  subtract_edge v6,v7,a0,c0,c1,c2,c3;
  subtract_edge v7,v8,a0,c0,c1,c2,c3;
  subtract_edge v8,v9,a0,c0,c1,c2,c3;
  subtract_edge v9,v10,a0,c0,c1,c2,c3;
  subtract_edge v10,v11,a0,c0,c1,c2,c3;
  subtract_edge v11,v0,a0,c0,c1,c2,c3;
  subtract_edge v0,v7,a0,c0,c1,c2,c3;
  subtract_edge v1,v6,a0,c0,c1,c2,c3;
  subtract_edge v2,v9,a0,c0,c1,c2,c3;
  subtract_edge v3,v8,a0,c0,c1,c2,c3;
  subtract_edge v4,v11,a0,c0,c1,c2,c3;
  subtract_edge v5,v10,a0,c0,c1,c2,c3;
  to_binary c0,c1,c2,c3,c4;
}
gate uncount v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,c0,c1,c2,c3,c4,a0 {
  to_fourier c0,c1,c2,c3,c4;
  remove_vertex v0,c0,c1,c2,c3,c4;
  remove_vertex v1,c0,c1,c2,c3,c4;
  remove_vertex v2,c0,c1,c2,c3,c4;
  remove_vertex v3,c0,c1,c2,c3,c4;
  remove_vertex v4,c0,c1,c2,c3,c4;
  remove_vertex v5,c0,c1,c2,c3,c4;
  remove_vertex v6,c0,c1,c2,c3,c4;
  remove_vertex v7,c0,c1,c2,c3,c4;
  remove_vertex v8,c0,c1,c2,c3,c4;
  remove_vertex v9,c0,c1,c2,c3,c4;
  remove_vertex v10,c0,c1,c2,c3,c4;
  remove_vertex v11,c0,c1,c2,c3,c4;
  restore_edge v0,v1,a0,c0,c1,c2,c3;
  restore_edge v1,v2,a0,c0,c1,c2,c3;
  restore_edge v2,v3,a0,c0,c1,c2,c3;
  restore_edge v3,v4,a0,c0,c1,c2,c3;
  restore_edge v4,v5,a0,c0,c1,c2,c3;
  restore_edge v5,v6,a0,c0,c1,c2,c3;
  restore_edge v6,v7,a0,c0,c1,c2,c3;
  restore_edge v7,v8,a0,c0,c1,c2,c3;
  restore_edge v8,v9,a0,c0,c1,c2,c3;
  restore_edge v9,v10,a0,c0,c1,c2,c3;
  restore_edge v10,v11,a0,c0,c1,c2,c3;
  restore_edge v11,v0,a0,c0,c1,c2,c3;
  restore_edge v0,v7,a0,c0,c1,c2,c3;
  restore_edge v1,v6,a0,c0,c1,c2,c3;
  restore_edge v2,v9,a0,c0,c1,c2,c3;
  restore_edge v3,v8,a0,c0,c1,c2,c3;
  restore_edge v4,v11,a0,c0,c1,c2,c3;
  restore_edge v5,v10,a0,c0,c1,c2,c3;
  h c0; h c1; h c2; h c3; h c4;
}

// Turns the sign when the counter is 6: c2 and c3 are one and the others are zero (c4 is the least significant).
gate is_six c0,c1,c2,c3,c4,a0,a1,a2 {
  x c0; x c1; x c4;
  ccx c0,c1,a0; ccx c2,a0,a1; ccx c3,a1,a2;
  cz a2,c4;
  ccx c3,a1,a2; ccx c2,a0,a1; ccx c0,c1,a0;
  x c0; x c1; x c4;
}

// Reflects about the even superposition of all sets. The counter is zero here, so it serves as scratch space.
gate diffuse v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,c0,c1,c2,c3,c4,a0,a1,a2 {
  h v0; h v1; h v2; h v3; h v4; h v5; h v6; h v7; h v8; h v9; h v10; h v11;
  x v0; x v1; x v2; x v3; x v4; x v5; x v6; x v7; x v8; x v9; x v10; x v11;
  c3x v0,v1,v2,c0; c3x v3,v4,c0,c1; ccx v5,c1,c2; ccx v6,c2,c3;
  ccx v7,c3,c4; ccx v8,c4,a0; ccx v9,a0,a1; ccx v10,a1,a2;
  cz a2,v11;
  ccx v10,a1,a2; ccx v9,a0,a1; ccx v8,c4,a0; ccx v7,c3,c4;
  ccx v6,c2,c3; ccx v5,c1,c2; c3x v3,v4,c0,c1; c3x v0,v1,v2,c0;
  x v0; x v1; x v2; x v3; x v4; x v5; x v6; x v7; x v8; x v9; x v10; x v11;
  h v0; h v1; h v2; h v3; h v4; h v5; h v6; h v7; h v8; h v9; h v10; h v11;
}

// One round of Grover's search.
gate search v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,c0,c1,c2,c3,c4,a0,a1,a2 {
  count v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,c0,c1,c2,c3,c4,a0;
  is_six c0,c1,c2,c3,c4,a0,a1,a2;
  uncount v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,c0,c1,c2,c3,c4,a0;
  diffuse v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,c0,c1,c2,c3,c4,a0,a1,a2;
}
gate search5 v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,c0,c1,c2,c3,c4,a0,a1,a2 {
  search v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,c0,c1,c2,c3,c4,a0,a1,a2;
  search v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,c0,c1,c2,c3,c4,a0,a1,a2;
  search v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,c0,c1,c2,c3,c4,a0,a1,a2;
  search v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,c0,c1,c2,c3,c4,a0,a1,a2;
  search v0,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,c0,c1,c2,c3,c4,a0,a1,a2;
}

h v;
search5 v[0],v[1],v[2],v[3],v[4],v[5],v[6],v[7],v[8],v[9],v[10],v[11],c[0],c[1],c[2],c[3],c[4],a[0],a[1],a[2];
search5 v[0],v[1],v[2],v[3],v[4],v[5],v[6],v[7],v[8],v[9],v[10],v[11],c[0],c[1],c[2],c[3],c[4],a[0],a[1],a[2];
search5 v[0],v[1],v[2],v[3],v[4],v[5],v[6],v[7],v[8],v[9],v[10],v[11],c[0],c[1],c[2],c[3],c[4],a[0],a[1],a[2];
search5 v[0],v[1],v[2],v[3],v[4],v[5],v[6],v[7],v[8],v[9],v[10],v[11],c[0],c[1],c[2],c[3],c[4],a[0],a[1],a[2];
search5 v[0],v[1],v[2],v[3],v[4],v[5],v[6],v[7],v[8],v[9],v[10],v[11],c[0],c[1],c[2],c[3],c[4],a[0],a[1],a[2];
search5 v[0],v[1],v[2],v[3],v[4],v[5],v[6],v[7],v[8],v[9],v[10],v[11],c[0],c[1],c[2],c[3],c[4],a[0],a[1],a[2];
search5 v[0],v[1],v[2],v[3],v[4],v[5],v[6],v[7],v[8],v[9],v[10],v[11],c[0],c[1],c[2],c[3],c[4],a[0],a[1],a[2];
measure v -> set;
