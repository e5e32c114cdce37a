// Runs a Bell pair on a BasicAer server, reads a state vector, cancels a job, and reads a typed error:
//
//   examples/cpp/build/bell 127.0.0.1:50051

#include <exception>
#include <iostream>
#include <string>

#include "circuits.h"
#include "client.h"

namespace {

using basicaer::bell;
using basicaer::endless;
using basicaer::on;
using basicaer::superposition;

void run(basicaer::Client& client) {
  auto job = client.submit(on("qasm_simulator", bell()));
  client.watch(job.job_id(), 0, [](const auto& event) {
    std::cout << event.sequence() << ' ' << basicaer::v1::JobStatus_Name(event.status().status()) << '\n';
    return true;
  });
  for (const auto& [outcome, count] : basicaer::counts(client.result(job.job_id()).programs(0))) {
    std::cout << outcome << ": " << count << '\n';
  }

  job = client.submit(on("statevector_simulator", superposition(3)));
  client.watch(job.job_id(), 0, [](const auto&) { return true; });
  for (const auto& amplitude : client.state(job.job_id(), "0/statevector")) std::cout << amplitude << ' ';
  std::cout << '\n';

  job = client.submit(on("qasm_simulator", endless()));
  job = client.cancel(job.job_id(), "only an example");
  std::cout << "to be cancelled: " << std::boolalpha << job.cancel_requested() << '\n';

  try {
    client.submit(on("no_such_backend", bell()));
  } catch (const basicaer::RpcError& error) {
    const auto info = error.info();
    if (!info) throw;
    std::cout << info->reason() << ' ' << info->metadata().at("backend_name") << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string address = argc > 1 ? argv[1] : "127.0.0.1:50051";
  basicaer::Client client{address, [&](const grpc::Status& failure) {
                            std::cerr << address << ": " << failure.error_message()
                                      << "; trying again for half a minute" << std::endl;
                          }};
  try {
    run(client);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
