package dev.basicaer.examples;

import static dev.basicaer.examples.Circuits.bell;
import static dev.basicaer.examples.Circuits.endless;
import static dev.basicaer.examples.Circuits.on;
import static dev.basicaer.examples.Circuits.superposition;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.rpc.ErrorInfo;
import dev.basicaer.v1.Event;
import dev.basicaer.v1.JobSpec;
import dev.basicaer.v1.JobStatus;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Against the server that `make example-java` starts, behind a proxy that cuts every second call.
 */
final class BellTest {
  private BasicAerClient client;

  @BeforeEach
  void connect() {
    client = new BasicAerClient(address("BASICAER_FLAKY_SERVER"));
  }

  @AfterEach
  void disconnect() {
    client.close();
  }

  @Test
  void bellGivesEqualBits() {
    String jobId = client.submit(on("qasm_simulator", bell())).getJobId();
    assertEquals(
        List.of(
            JobStatus.JOB_STATUS_QUEUED, JobStatus.JOB_STATUS_RUNNING, JobStatus.JOB_STATUS_DONE),
        statuses(jobId, false));
    Map<String, Long> counts = BasicAerClient.counts(client.result(jobId).getPrograms(0));
    assertEquals(List.of("00", "11"), List.copyOf(counts.keySet()));
    assertEquals(1024, counts.get("00") + counts.get("11"));
  }

  @Test
  void stateComesInChunks() {
    JobSpec spec = on("statevector_simulator", superposition(17));
    String jobId = client.submit(spec).getJobId();
    statuses(jobId, false);
    ComplexArray state = client.state(jobId, "0/statevector");
    assertEquals(1 << 17, state.length());
    double expected = Math.pow(2, -8.5);
    assertTrue(
        IntStream.range(0, state.length())
            .allMatch(
                index ->
                    Math.abs(state.real()[index] - expected) < 1e-12
                        && Math.abs(state.imaginary()[index]) < 1e-12));
  }

  @Test
  void cancelEndsARunningJob() {
    String jobId = client.submit(on("qasm_simulator", endless())).getJobId();
    List<JobStatus> seen = statuses(jobId, true);
    assertEquals(JobStatus.JOB_STATUS_CANCELLED, seen.get(seen.size() - 1));
  }

  @Test
  void errorsHaveReasonsAndFacts() {
    StatusRuntimeException error =
        assertThrows(
            StatusRuntimeException.class, () -> client.submit(on("no_such_backend", bell())));
    ErrorInfo info = BasicAerClient.errorInfo(error).orElseThrow();
    assertEquals(Status.Code.NOT_FOUND, error.getStatus().getCode());
    assertEquals("BACKEND_NOT_FOUND", info.getReason());
    assertEquals("no_such_backend", info.getMetadataOrThrow("backend_name"));
  }

  @Test
  void theProgramRuns() {
    Bell.main(new String[] {address("BASICAER_SERVER")});
  }

  private static String address(String variable) {
    String value = System.getenv(variable);
    assertNotNull(value, variable + " is not set: `make example-java` starts a server and sets it");
    return value;
  }

  /** Watches a job to its end, cancelling it once it runs if that is wished. */
  private List<JobStatus> statuses(String jobId, boolean cancel) {
    List<JobStatus> seen = new ArrayList<>();
    try (Watch watch = client.watch(jobId, 0)) {
      for (Optional<Event> event = watch.next(); event.isPresent(); event = watch.next()) {
        if (!event.get().hasStatus()) {
          continue;
        }
        JobStatus status = event.get().getStatus().getStatus();
        seen.add(status);
        if (cancel && status == JobStatus.JOB_STATUS_RUNNING) {
          client.cancel(jobId, "test");
        }
      }
    }
    return seen;
  }
}
