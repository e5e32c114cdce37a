// Against a server behind a proxy that cuts every second call: `make example-cpp` starts both.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "circuits.h"
#include "client.h"

namespace {

using namespace basicaer;

std::string flaky_server() {
  const char* address = std::getenv("BASICAER_FLAKY_SERVER");
  if (address == nullptr) throw std::runtime_error("BASICAER_FLAKY_SERVER is not set: see `make example-cpp`");
  return address;
}

class BellTest : public testing::Test {
 protected:
  // Submits a job and watches it to its end; returns its changes of status.
  std::vector<v1::JobStatus> finish(const v1::JobSpec& spec) {
    job_id = client.submit(spec).job_id();
    std::vector<v1::JobStatus> statuses;
    client.watch(job_id, 0, [&](const v1::Event& event) {
      if (event.has_status()) statuses.push_back(event.status().status());
      return true;
    });
    return statuses;
  }

  Client client{flaky_server()};
  std::string job_id;
};

TEST_F(BellTest, GivesEqualBits) {
  const auto statuses = finish(on("qasm_simulator", bell()));
  EXPECT_EQ(statuses, (std::vector{v1::JOB_STATUS_QUEUED, v1::JOB_STATUS_RUNNING, v1::JOB_STATUS_DONE}));
  auto seen = counts(client.result(job_id).programs(0));
  EXPECT_EQ(seen.size(), 2);
  EXPECT_EQ(seen["00"] + seen["11"], 1024);
}

TEST_F(BellTest, StateComesInChunks) {
  finish(on("statevector_simulator", superposition(17)));
  const auto state = client.state(job_id, "0/statevector");
  ASSERT_EQ(state.size(), 1 << 17);
  for (const auto& amplitude : state) {
    ASSERT_NEAR(amplitude.real(), std::exp2(-8.5), 1e-12);
    ASSERT_NEAR(amplitude.imag(), 0, 1e-12);
  }
}

TEST_F(BellTest, CancelEndsARunningJob) {
  job_id = client.submit(on("qasm_simulator", endless())).job_id();
  auto last = v1::JOB_STATUS_UNSPECIFIED;
  client.watch(job_id, 0, [&](const v1::Event& event) {
    if (event.has_status()) last = event.status().status();
    if (last == v1::JOB_STATUS_RUNNING) client.cancel(job_id, "test");
    return true;
  });
  EXPECT_EQ(last, v1::JOB_STATUS_CANCELLED);
}

TEST_F(BellTest, ErrorsHaveReasonsAndFacts) {
  try {
    client.submit(on("no_such_backend", bell()));
    FAIL() << "the job was accepted";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.status.error_code(), grpc::StatusCode::NOT_FOUND);
    ASSERT_TRUE(error.info());
    EXPECT_EQ(error.info()->reason(), "BACKEND_NOT_FOUND");
    EXPECT_EQ(error.info()->metadata().at("backend_name"), "no_such_backend");
  }
}

}  // namespace
