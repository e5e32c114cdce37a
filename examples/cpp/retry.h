// Which errors another try can mend, and when to try.
#pragma once

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>

namespace basicaer {

// A call that failed for good.
class RpcError : public std::runtime_error {
 public:
  explicit RpcError(const grpc::Status& failure) : std::runtime_error(failure.error_message()), status(failure) {}

  // The reason and the facts that the server gave; empty for a call that never reached it.
  std::optional<google::rpc::ErrorInfo> info() const;

  grpc::Status status;
};

// The first detail of a type that an error carries, in its trailer as a serialized google.rpc.Status.
template <typename Detail>
std::optional<Detail> detail_of(const grpc::Status& failure) {
  google::rpc::Status status;
  if (!status.ParseFromString(failure.error_details())) return std::nullopt;
  for (const auto& any : status.details()) {
    if (Detail detail; any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

// Is told of a failure before the first of the tries that follow it.
using OnRetry = std::function<void(const grpc::Status&)>;

// Grows the pause between tries, with jitter, so that the clients of a restarted server don't all return at once.
class Backoff {
 public:
  explicit Backoff(OnRetry on_retry) : on_retry_(std::move(on_retry)) {}

  // Returns when it is time for another try. Throws RpcError for what another try can't mend.
  void wait(const grpc::Status& failure);

  void reset() { failures_ = 0; }

 private:
  OnRetry on_retry_;
  int failures_ = 0;
};

// Calls until the call succeeds; throws RpcError when it fails for good. Only for calls that may be repeated.
void retry(const OnRetry& on_retry, const std::function<grpc::Status()>& call);

}  // namespace basicaer
