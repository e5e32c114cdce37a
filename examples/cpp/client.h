// Submits circuits to a BasicAer server, watches the jobs, and reads what they gave.
//
// It is an example to start from: everything that it knows is in protos/basicaer/v1.
#pragma once

#include <basicaer/v1/job_service.grpc.pb.h>

#include <complex>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "download.h"
#include "retry.h"

namespace basicaer {

// A connection to one server, for any number of threads. Each method blocks, and throws RpcError.
class Client {
 public:
  // Makes a client of the server at HOST:PORT. It connects with the first call. `on_retry` is told when a call has
  // failed and will be tried again.
  explicit Client(const std::string& address, OnRetry on_retry = nullptr);

  // Submits a job, as often as it takes: the request id makes sure that there is only one. An empty request id stands
  // for a new one.
  v1::Job submit(const v1::JobSpec& spec, std::string request_id = "");

  // Gives a job's events after a sequence (0 for all) to `each`, up to the final one or until it returns false. When
  // the stream breaks it goes on after the last event that it saw, so each change of status comes exactly once.
  void watch(const std::string& job_id, std::uint64_t after, const std::function<bool(const v1::Event&)>& each);

  // Asks for a job to be stopped and returns it as it stands then.
  v1::Job cancel(const std::string& job_id, const std::string& reason);

  // Reads a final job's result, with its counts.
  v1::Result result(const std::string& job_id);

  // Reads an array of amplitudes, such as "0/statevector".
  std::vector<std::complex<double>> state(const std::string& job_id, const std::string& part);

 private:
  Download read(const std::string& job_id, const std::string& part);
  grpc::Status read_on(const std::string& job_id, Download& download);

  std::unique_ptr<v1::JobService::Stub> jobs_;
  OnRetry on_retry_;
};

// How often each outcome was seen. An outcome is written with classical bit 0 last.
std::map<std::string, std::uint64_t> counts(const v1::ProgramResult& program);

}  // namespace basicaer
