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

// on makes a job of a circuit for a backend.
func on(backend string, circuit *pb.Circuit) *pb.JobSpec {
	return &pb.JobSpec{
		BackendName: backend,
		Programs:    []*pb.Program{{Source: &pb.Program_Circuit{Circuit: circuit}}},
		Options:     &pb.RunOptions{SeedSimulator: proto.Uint64(7)},
	}
}
