package dev.basicaer.examples;

import dev.basicaer.v1.Event;
import dev.basicaer.v1.Job;
import dev.basicaer.v1.JobServiceGrpc;
import dev.basicaer.v1.WatchJobRequest;
import dev.basicaer.v1.WatchJobResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A job's events, up to the final one. Closing it ends the watch, never the job.
 *
 * <p>When the stream breaks it goes on after the last event that it saw, so each change of status
 * comes exactly once.
 */
public final class Watch implements AutoCloseable {
  private final JobServiceGrpc.JobServiceBlockingStub jobs;
  private final String jobId;
  private final Backoff backoff;
  private long cursor;
  private boolean finished;
  private ServerStream<WatchJobResponse> stream;

  Watch(
      JobServiceGrpc.JobServiceBlockingStub jobs,
      String jobId,
      long afterSequence,
      Consumer<StatusRuntimeException> onRetry) {
    this.backoff = new Backoff(onRetry);
    this.jobs = jobs;
    this.jobId = jobId;
    this.cursor = afterSequence;
  }

  /** Returns the next event; empty after the final one. */
  public Optional<Event> next() {
    while (!finished) {
      try {
        Optional<Event> event = take(receive());
        if (event.isPresent()) {
          return event;
        }
      } catch (StatusRuntimeException error) {
        close();
        backoff.await(error);
      }
    }
    close();
    return Optional.empty();
  }

  @Override
  public void close() {
    if (stream != null) {
      stream.close();
      stream = null;
    }
  }

  /** Returns the next message of the stream, which is opened if there is none. */
  private WatchJobResponse receive() {
    if (stream == null) {
      WatchJobRequest request =
          WatchJobRequest.newBuilder().setJobId(jobId).setAfterSequence(cursor).build();
      stream = new ServerStream<>(() -> jobs.watchJob(request));
    }
    if (!stream.hasNext()) {
      throw broken("the stream ended before the job did");
    }
    return stream.next();
  }

  /** Moves the cursor; returns the message's event unless it was seen before. */
  private Optional<Event> take(WatchJobResponse message) {
    if (message.hasJob()) {
      Job job = message.getJob();
      finished = BasicAerClient.isFinal(job.getStatus()) && job.getSequence() <= cursor;
    }
    if (!message.hasEvent()) {
      return Optional.empty();
    }
    Event event = message.getEvent();
    if (event.hasStatus()) { // durable: in the order of its sequence, without gaps
      if (event.getSequence() <= cursor) {
        return Optional.empty();
      }
      if (event.getSequence() > cursor + 1) {
        throw broken("event " + event.getSequence() + " came after event " + cursor);
      }
      cursor = event.getSequence();
      finished = BasicAerClient.isFinal(event.getStatus().getStatus());
      backoff.reset();
    }
    return Optional.of(event);
  }

  private static StatusRuntimeException broken(String description) {
    return Status.UNAVAILABLE.withDescription(description).asRuntimeException();
  }
}
