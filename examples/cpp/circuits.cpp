#include "circuits.h"

#include <initializer_list>

namespace basicaer {
namespace {

void fill(google::protobuf::RepeatedField<std::uint32_t>& column, std::initializer_list<std::uint32_t> values) {
  column.Assign(values.begin(), values.end());
}

}  // namespace

v1::Circuit bell() {
  v1::Circuit circuit;
  circuit.set_num_qubits(2);
  circuit.set_num_clbits(2);
  for (const auto* name : {"h", "cx", "measure"}) circuit.add_operations()->set_name(name);
  fill(*circuit.mutable_body()->mutable_operations(), {0, 1, 2, 2});
  fill(*circuit.mutable_body()->mutable_qubits(), {0, 0, 1, 0, 1});
  fill(*circuit.mutable_body()->mutable_clbits(), {0, 1});
  return circuit;
}

v1::Circuit superposition(std::uint32_t qubits) {
  v1::Circuit circuit;
  circuit.set_num_qubits(qubits);
  circuit.add_operations()->set_name("h");
  for (std::uint32_t qubit = 0; qubit < qubits; ++qubit) {
    circuit.mutable_body()->add_operations(0);
    circuit.mutable_body()->add_qubits(qubit);
  }
  return circuit;
}

v1::Circuit endless() {
  v1::Circuit circuit;
  circuit.set_num_qubits(1);
  circuit.set_num_clbits(1);
  circuit.add_operations()->set_name("x");
  auto& loop = *circuit.add_operations();
  loop.set_name("while_loop");
  loop.mutable_while_loop()->mutable_condition()->mutable_literal()->set_bool_value(true);
  loop.mutable_while_loop()->mutable_body()->add_operations(0);
  loop.mutable_while_loop()->mutable_body()->add_qubits(0);
  circuit.add_operations()->set_name("measure");
  fill(*circuit.mutable_body()->mutable_operations(), {1, 2});
  fill(*circuit.mutable_body()->mutable_qubits(), {0});
  fill(*circuit.mutable_body()->mutable_clbits(), {0});
  return circuit;
}

v1::JobSpec on(const std::string& backend, const v1::Circuit& circuit) {
  v1::JobSpec spec;
  spec.set_backend_name(backend);
  *spec.add_programs()->mutable_circuit() = circuit;
  spec.mutable_options()->set_seed_simulator(7);
  return spec;
}

}  // namespace basicaer
