#include "client.h"

#include <grpcpp/create_channel.h>

#include <random>
#include <utility>

namespace basicaer {
namespace {

grpc::Status unavailable(const std::string& message) { return {grpc::StatusCode::UNAVAILABLE, message}; }

bool is_final(v1::JobStatus status) {
  return status == v1::JOB_STATUS_CANCELLED || status == v1::JOB_STATUS_DONE || status == v1::JOB_STATUS_ERROR;
}

// 128 random bits as hexadecimal digits.
std::string new_request_id() {
  std::random_device random;
  std::string id;
  while (id.size() < 32) id += "0123456789abcdef"[random() % 16];
  return id;
}

// A job's events on their way, over as many streams as it takes.
class Watching {
 public:
  Watching(std::uint64_t cursor, const std::function<bool(const v1::Event&)>& each) : cursor_(cursor), each_(each) {}

  std::uint64_t cursor() const { return cursor_; }
  bool finished() const { return finished_; }

  // Takes a message: moves the cursor and hands its event on, unless that was seen before. An error asks for another
  // stream.
  grpc::Status take(const v1::WatchJobResponse& message) {
    finished_ = is_final(message.job().status()) && message.job().sequence() <= cursor_;
    if (finished_ || !message.has_event()) return grpc::Status::OK;
    const auto& event = message.event();
    if (event.has_status()) {  // durable: in the order of its sequence, without gaps
      if (event.sequence() <= cursor_) return grpc::Status::OK;
      if (event.sequence() > cursor_ + 1) {
        return unavailable("event " + std::to_string(event.sequence()) + " came after event " +
                           std::to_string(cursor_));
      }
      cursor_ = event.sequence();
    }
    finished_ = !each_(event) || is_final(event.status().status());
    return grpc::Status::OK;
  }

 private:
  std::uint64_t cursor_;
  const std::function<bool(const v1::Event&)>& each_;
  bool finished_ = false;
};

}  // namespace

Client::Client(const std::string& address, OnRetry on_retry) : on_retry_(std::move(on_retry)) {
  grpc::ChannelArguments arguments;
  // Finds out within a minute and a half that a server is gone without a word.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 30'000);
  // Finds a server that was restarted within seconds.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  // The retries here know about request ids and cursors. With gRPC's own, a call that begins while its server stops
  // may never end, whatever its deadline.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  jobs_ = v1::JobService::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
}

v1::Job Client::submit(const v1::JobSpec& spec, std::string request_id) {
  v1::SubmitJobRequest request;
  *request.mutable_spec() = spec;
  request.set_request_id(request_id.empty() ? new_request_id() : std::move(request_id));
  v1::SubmitJobResponse response;
  retry(on_retry_, [&] {
    grpc::ClientContext context;
    return jobs_->SubmitJob(&context, request, &response);
  });
  return response.job();
}

void Client::watch(const std::string& job_id, std::uint64_t after, const std::function<bool(const v1::Event&)>& each) {
  Watching watching{after, each};
  for (Backoff backoff{on_retry_};;) {
    const auto before = watching.cursor();
    v1::WatchJobRequest request;
    request.set_job_id(job_id);
    request.set_after_sequence(before);
    grpc::ClientContext context;
    const auto stream = jobs_->WatchJob(&context, request);
    auto status = grpc::Status::OK;
    for (v1::WatchJobResponse message; status.ok() && !watching.finished() && stream->Read(&message);) {
      status = watching.take(message);
    }
    if (!status.ok() || watching.finished()) context.TryCancel();  // ends the watch, never the job
    const auto end = stream->Finish();
    if (watching.finished()) return;
    if (status.ok()) status = end.ok() ? unavailable("the stream ended before the job did") : end;
    if (watching.cursor() > before) backoff.reset();
    backoff.wait(status);
  }
}

v1::Job Client::cancel(const std::string& job_id, const std::string& reason) {
  v1::CancelJobRequest request;
  request.set_job_id(job_id);
  request.set_reason(reason);
  v1::CancelJobResponse response;
  retry(on_retry_, [&] {
    grpc::ClientContext context;
    return jobs_->CancelJob(&context, request, &response);
  });
  return response.job();
}

v1::Result Client::result(const std::string& job_id) {
  v1::Result result;
  if (!result.ParseFromString(read(job_id, "result").bytes())) {
    throw RpcError({grpc::StatusCode::INTERNAL, "the result of job " + job_id + " is not a Result of this contract"});
  }
  return result;
}

std::vector<std::complex<double>> Client::state(const std::string& job_id, const std::string& part) {
  return read(job_id, part).complex();
}

// Reads a part of a result. When the stream breaks, or a chunk arrives damaged, it goes on with the first byte that is
// missing.
Download Client::read(const std::string& job_id, const std::string& part) {
  Download download{part};
  for (Backoff backoff{on_retry_}; !download.complete();) {
    const auto before = download.position();
    const auto status = read_on(job_id, download);
    if (download.position() > before) backoff.reset();
    if (!status.ok()) backoff.wait(status);
  }
  download.check();
  return download;
}

// Takes the chunks of one stream.
grpc::Status Client::read_on(const std::string& job_id, Download& download) {
  v1::ReadResultRequest request;
  request.set_job_id(job_id);
  request.set_part(download.part());
  request.set_read_offset(download.position());
  request.set_etag(download.etag());
  grpc::ClientContext context;
  const auto stream = jobs_->ReadResult(&context, request);
  for (v1::ReadResultResponse message; stream->Read(&message);) {
    if (message.has_header()) download.begin(message.header());
    if (message.has_chunk() && !download.add(message.chunk())) {
      context.TryCancel();
      stream->Finish();
      const auto offset = std::to_string(message.chunk().offset());
      return unavailable("the chunk at " + offset + " of " + download.part() + " arrived damaged");
    }
  }
  const auto status = stream->Finish();
  if (!status.ok() || download.complete()) return status;
  return unavailable("the stream ended before " + download.part() + " did");
}

std::map<std::string, std::uint64_t> counts(const v1::ProgramResult& program) {
  const auto& packed = program.counts();
  const int width = static_cast<int>(program.header().num_clbits());
  std::map<std::string, std::uint64_t> seen;
  for (int index = 0; index < packed.counts_size(); ++index) {
    std::string outcome;
    for (int bit = width - 1; bit >= 0; --bit) {
      const auto word = packed.outcomes(index * static_cast<int>(packed.words_per_outcome()) + bit / 64);
      outcome += (word >> (bit % 64) & 1) != 0 ? '1' : '0';
    }
    seen[outcome] = packed.counts(index);
  }
  return seen;
}

}  // namespace basicaer
