#include "download.h"

#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include "retry.h"

namespace basicaer {
namespace {

static_assert(std::endian::native == std::endian::little, "the wire's numbers are little-endian");

constexpr std::array<std::uint32_t, 256> kTable = [] {
  constexpr std::uint32_t kCastagnoli = 0x82F63B78;  // its bits in reverse order
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ ((remainder & 1) != 0 ? kCastagnoli : 0);
    table[byte] = remainder;
  }
  return table;
}();

std::uint32_t crc32c(std::string_view data) {
  std::uint32_t remainder = ~0U;
  for (const char byte : data) {
    remainder = remainder >> 8 ^ kTable[(remainder ^ static_cast<unsigned char>(byte)) & 0xFF];
  }
  return ~remainder;
}

template <typename Real>
std::vector<std::complex<double>> amplitudes(const std::string& data) {
  std::vector<std::complex<Real>> read(data.size() / sizeof(std::complex<Real>));
  std::memcpy(read.data(), data.data(), read.size() * sizeof(std::complex<Real>));
  return {read.begin(), read.end()};
}

}  // namespace

void Download::begin(const v1::ResultHeader& header) {
  if (begun_) return;
  begun_ = true;
  header_ = header;
  data_.reserve(header.array().size_bytes());
}

bool Download::add(const v1::ResultChunk& chunk) {
  if (chunk.offset() != data_.size() || crc32c(chunk.data()) != chunk.crc32c()) return false;
  data_ += chunk.data();
  return true;
}

void Download::check() const {
  if (crc32c(data_) != header_.array().crc32c()) {
    throw RpcError({grpc::StatusCode::DATA_LOSS, part_ + " differs from its checksum: read it again"});
  }
}

std::vector<std::complex<double>> Download::complex() const {
  const auto& dtype = header_.array().dtype();
  if (dtype == "<c16") return amplitudes<double>(data_);
  if (dtype == "<c8") return amplitudes<float>(data_);
  throw RpcError({grpc::StatusCode::INVALID_ARGUMENT, part_ + " has the dtype " + dtype + ", which is not complex"});
}

}  // namespace basicaer
