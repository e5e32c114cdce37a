package dev.basicaer.examples;

import static dev.basicaer.examples.Circuits.bell;
import static dev.basicaer.examples.Circuits.endless;
import static dev.basicaer.examples.Circuits.on;
import static dev.basicaer.examples.Circuits.superposition;

import com.google.rpc.ErrorInfo;
import dev.basicaer.v1.Event;
import dev.basicaer.v1.Job;
import io.grpc.StatusRuntimeException;
import java.util.Arrays;
import java.util.Optional;

/** Runs a Bell pair on a server, reads a state vector, cancels a job, and reads a typed error. */
public final class Bell {
  private Bell() {}

  /** Takes the server's HOST:PORT; 127.0.0.1:50051 if there is none. */
  public static void main(String[] arguments) {
    String address = arguments.length > 0 ? arguments[0] : "127.0.0.1:50051";
    try (BasicAerClient client = new BasicAerClient(address, failure -> warn(address, failure))) {
      Job job = client.submit(on("qasm_simulator", bell()));
      follow(client, job);
      System.out.println(BasicAerClient.counts(client.result(job.getJobId()).getPrograms(0)));

      job = client.submit(on("statevector_simulator", superposition(3)));
      follow(client, job);
      ComplexArray state = client.state(job.getJobId(), "0/statevector");
      System.out.println(Arrays.toString(state.real()));

      job = client.submit(on("qasm_simulator", endless()));
      job = client.cancel(job.getJobId(), "only an example");
      System.out.println("to be cancelled: " + job.getCancelRequested());

      refuse(client);
    } catch (StatusRuntimeException error) {
      System.err.println(describe(error));
      System.exit(1);
    }
  }

  private static void warn(String address, StatusRuntimeException failure) {
    System.err.printf("%s: %s; trying again for half a minute%n", address, describe(failure));
  }

  /** The failure with its cause, which gRPC keeps apart for a call that never reached a server. */
  private static String describe(StatusRuntimeException failure) {
    Throwable cause = failure.getCause();
    return cause == null
        ? failure.getMessage()
        : failure.getMessage() + " (" + cause.getMessage() + ")";
  }

  private static void follow(BasicAerClient client, Job job) {
    try (Watch watch = client.watch(job.getJobId(), 0)) {
      for (Optional<Event> event = watch.next(); event.isPresent(); event = watch.next()) {
        System.out.println(event.get().getSequence() + " " + event.get().getStatus().getStatus());
      }
    }
  }

  private static void refuse(BasicAerClient client) {
    try {
      client.submit(on("no_such_backend", bell()));
    } catch (StatusRuntimeException error) {
      ErrorInfo info = BasicAerClient.errorInfo(error).orElseThrow(() -> error);
      System.out.println(info.getReason() + " " + info.getMetadataMap());
    }
  }
}
