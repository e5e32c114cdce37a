package main

import (
	pb "basicaer.dev/examples/go/basicaerv1"
	"google.golang.org/protobuf/proto"
)

// bell is a Bell pair, measured.
func bell() *pb.Circuit {
	return &pb.Circuit{
		NumQubits:  2,
		NumClbits:  2,
		Operations: []*pb.Operation{{Name: "h"}, {Name: "cx"}, {Name: "measure"}},
		Body:       &pb.Block{Operations: []uint32{0, 1, 2, 2}, Qubits: []uint32{0, 0, 1, 0, 1}, Clbits: []uint32{0, 1}},
	}
}

// superposition is a Hadamard gate on each qubit.
func superposition(qubits uint32) *pb.Circuit {
	body := &pb.Block{Operations: make([]uint32, qubits)}
	for qubit := range qubits {
		body.Qubits = append(body.Qubits, qubit)
	}
	return &pb.Circuit{NumQubits: qubits, Operations: []*pb.Operation{{Name: "h"}}, Body: body}
}

// endless is a loop that only CancelJob ends.
func endless() *pb.Circuit {
	always := &pb.Expression{Kind: &pb.Expression_Literal{
		Literal: &pb.Literal{Value: &pb.Literal_BoolValue{BoolValue: true}},
	}}
	loop := &pb.WhileLoop{Condition: always, Body: &pb.Block{Operations: []uint32{0}, Qubits: []uint32{0}}}
	return &pb.Circuit{
		NumQubits:  1,
		NumClbits:  1,
		Operations: []*pb.Operation{{Name: "x"}, {Name: "while_loop", WhileLoop: loop}, {Name: "measure"}},
		Body:       &pb.Block{Operations: []uint32{1, 2}, Qubits: []uint32{0}, Clbits: []uint32{0}},
	}
}

// noisy makes a job of a Bell pair whose CX fails now and then, held as a matrix product state.
func noisy() *pb.JobSpec {
	spec := on("qasm_simulator", bell())
	spec.Options.Method = pb.SimulationMethod_SIMULATION_METHOD_MATRIX_PRODUCT_STATE
	spec.Options.MatrixProductState = &pb.MatrixProductStateOptions{MaxBondDimension: 16}
	failing := &pb.DepolarizingChannel{Probability: 0.01, NumQubits: 2}
	spec.Options.NoiseModel = &pb.NoiseModel{
		Channels: []*pb.Channel{{Kind: &pb.Channel_Depolarizing{Depolarizing: failing}}},
		Rules:    []*pb.NoiseRule{{Operations: []string{"cx"}}},
	}
	return spec
}

// on makes a job of a circuit for a backend.
func on(backend string, circuit *pb.Circuit) *pb.JobSpec {
	return &pb.JobSpec{
		BackendName: backend,
		Programs:    []*pb.Program{{Source: &pb.Program_Circuit{Circuit: circuit}}},
		Options:     &pb.RunOptions{SeedSimulator: proto.Uint64(7)},
	}
}
