#include "retry.h"

#include <algorithm>
#include <random>
#include <thread>

namespace basicaer {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLongestPause{2000};
constexpr int kMaxFailures = 20;  // in a row; about half a minute

// How long the server asks to wait.
milliseconds asked_delay(const grpc::Status& failure) {
  const auto info = detail_of<google::rpc::RetryInfo>(failure);
  if (!info) return milliseconds{0};
  const auto& delay = info->retry_delay();
  return milliseconds{delay.seconds() * 1000 + delay.nanos() / 1'000'000};
}

milliseconds jittered(milliseconds longest) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return milliseconds{std::uniform_int_distribution<long>{longest.count() / 2, longest.count()}(random)};
}

}  // namespace

std::optional<google::rpc::ErrorInfo> RpcError::info() const {
  auto info = detail_of<google::rpc::ErrorInfo>(status);
  if (info && info->domain() != "basicaer.dev") info.reset();
  return info;
}

void Backoff::wait(const grpc::Status& failure) {
  // CANCELLED says that the server's limit of waiting calls was reached: our own ends no call by an error.
  const auto code = failure.error_code();
  const bool passing = code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::CANCELLED;
  if (!passing || failures_ == kMaxFailures) throw RpcError(failure);
  if (failures_ == 0 && on_retry_) on_retry_(failure);
  const auto longest = std::min(kFirstPause * (1L << failures_), kLongestPause);
  ++failures_;
  std::this_thread::sleep_for(asked_delay(failure) + jittered(longest));
}

void retry(const OnRetry& on_retry, const std::function<grpc::Status()>& call) {
  Backoff backoff{on_retry};
  for (;;) {
    const auto status = call();
    if (status.ok()) return;
    backoff.wait(status);
  }
}

}  // namespace basicaer
