#include "outputs.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <span>
#include <stdexcept>

namespace basicaer {
namespace {

using Words = std::span<const std::uint64_t>;
using Shape = std::span<const std::uint32_t>;

// Reads an outcome's bits from one of them on.
class Reader {
 public:
  Reader(Words words, std::size_t at) : words_{words}, at_{at} {}

  Value array(const v1::ClassicalType& type, Shape shape) {
    if (shape.empty()) return scalar(type);
    std::vector<Value> elements;
    for (std::uint32_t index = 0; index < shape.front(); ++index) elements.push_back(array(type, shape.subspan(1)));
    return {std::move(elements)};
  }

 private:
  Value scalar(const v1::ClassicalType& type) {
    if (type.kind() == v1::CLASSICAL_KIND_BOOL) return {take(1) == 1};
    if (type.kind() == v1::CLASSICAL_KIND_BIT) {
      std::string text;
      for (std::uint32_t bit = 0; bit < std::max(type.width(), 1U); ++bit) text += take(1) == 1 ? '1' : '0';
      std::ranges::reverse(text);
      return {text};
    }
    const int size = type.width() == 0 ? 64 : static_cast<int>(type.width());
    if (size > 64) throw std::invalid_argument(std::to_string(size) + " bits are more than this client reads");
    switch (type.kind()) {
      case v1::CLASSICAL_KIND_UINT:
        return {take(size)};
      case v1::CLASSICAL_KIND_INT:
        return {static_cast<std::int64_t>(take(size) << (64 - size)) >> (64 - size)};
      case v1::CLASSICAL_KIND_ANGLE:
        return {std::ldexp(static_cast<double>(take(size)), -size) * 2 * std::numbers::pi};
      case v1::CLASSICAL_KIND_FLOAT:
        return {real(size)};
      case v1::CLASSICAL_KIND_COMPLEX: {
        const double first = real(size);
        return {std::complex<double>{first, real(size)}};
      }
      default:
        throw std::invalid_argument("an output's type is newer than this client");
    }
  }

  double real(int size) {
    if (size == 64) return std::bit_cast<double>(take(64));
    if (size == 32) return std::bit_cast<float>(static_cast<std::uint32_t>(take(32)));
    throw std::invalid_argument("a float has " + std::to_string(size) + " bits");
  }

  // Reads up to 64 bits and moves behind them.
  std::uint64_t take(int size) {
    const std::size_t word = at_ / 64;
    const int shift = static_cast<int>(at_ % 64);
    std::uint64_t value = words_[word] >> shift;
    if (shift + size > 64) value |= words_[word + 1] << (64 - shift);
    at_ += static_cast<std::size_t>(size);
    return value << (64 - size) >> (64 - size);
  }

  Words words_;
  std::size_t at_;
};

}  // namespace

std::vector<Outcome> outputs(const v1::ProgramResult& program) {
  const auto& counts = program.counts();
  const std::size_t width = std::max(counts.words_per_outcome(), 1U);
  const Words words{counts.outcomes().data(), static_cast<std::size_t>(counts.outcomes_size())};
  std::vector<Outcome> seen;
  for (int index = 0; index < counts.counts_size(); ++index) {
    Outcome outcome{{}, counts.counts(index)};
    for (const auto& output : program.header().outputs()) {
      Reader reader{words.subspan(static_cast<std::size_t>(index) * width, width), output.clbit()};
      const Shape shape{output.shape().data(), static_cast<std::size_t>(output.shape_size())};
      outcome.values.emplace(output.name(), reader.array(output.type(), shape));
    }
    seen.push_back(std::move(outcome));
  }
  return seen;
}

}  // namespace basicaer
