// Circuits in the contract's packed form.
#pragma once

#include <basicaer/v1/job.pb.h>

#include <cstdint>
#include <string>

namespace basicaer {

// A Bell pair, measured.
v1::Circuit bell();

// A Hadamard gate on each qubit.
v1::Circuit superposition(std::uint32_t qubits);

// A loop that only CancelJob ends.
v1::Circuit endless();

// A job of a circuit for a backend.
v1::JobSpec on(const std::string& backend, const v1::Circuit& circuit);

}  // namespace basicaer
