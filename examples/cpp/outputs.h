// The typed values that a program's outcomes hold, read from their bits.
#pragma once

#include <basicaer/v1/result.pb.h>

#include <complex>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace basicaer {

namespace v1 = basicaer::v1;

// What an output holds: text of bits, the last one first, for bit and bit[n]; a double of an angle is in radians.
struct Value {
  std::variant<std::string, bool, std::int64_t, std::uint64_t, double, std::complex<double>, std::vector<Value>>
      content;
};

// What a program's outputs held, by their names, in some of its shots.
struct Outcome {
  std::map<std::string, Value> values;
  std::uint64_t count;
};

// The values of a program's typed outputs, with how often they were seen together. Throws std::invalid_argument for
// integers of more than 64 bits and floats of 16, which are not read here.
std::vector<Outcome> outputs(const v1::ProgramResult& program);

}  // namespace basicaer
