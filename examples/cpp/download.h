// A part of a result on its way.
#pragma once

#include <basicaer/v1/job_service.pb.h>

#include <complex>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace basicaer {

class Download {
 public:
  explicit Download(std::string part) : part_(std::move(part)) {}

  const std::string& part() const { return part_; }
  // What has arrived.
  const std::string& bytes() const { return data_; }
  std::uint64_t position() const { return data_.size(); }
  bool complete() const { return begun_ && data_.size() == header_.array().size_bytes(); }
  std::string etag() const { return header_.etag(); }

  // Makes room at the first header; a later one repeats it, since the request had its etag.
  void begin(const v1::ResultHeader& header);

  // Takes the next chunk; false when it is another one, or differs from its checksum.
  bool add(const v1::ResultChunk& chunk);

  // Throws RpcError unless the whole has the checksum that the header gave.
  void check() const;

  // The elements of a complex array. Throws RpcError when it isn't one.
  std::vector<std::complex<double>> complex() const;

 private:
  std::string part_;
  bool begun_ = false;
  v1::ResultHeader header_;
  std::string data_;
};

}  // namespace basicaer
