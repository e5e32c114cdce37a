package dev.basicaer.examples;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import dev.basicaer.v1.CancelJobRequest;
import dev.basicaer.v1.Counts;
import dev.basicaer.v1.Job;
import dev.basicaer.v1.JobServiceGrpc;
import dev.basicaer.v1.JobSpec;
import dev.basicaer.v1.JobStatus;
import dev.basicaer.v1.ProgramResult;
import dev.basicaer.v1.ReadResultRequest;
import dev.basicaer.v1.ReadResultResponse;
import dev.basicaer.v1.Result;
import dev.basicaer.v1.SubmitJobRequest;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Submits circuits to a BasicAer server, watches the jobs, and reads what they gave; for any number
 * of threads.
 *
 * <p>It is an example to start from: everything that it knows is in {@code protos/basicaer/v1}.
 */
public final class BasicAerClient implements AutoCloseable {
  private final ManagedChannel channel;
  private final JobServiceGrpc.JobServiceBlockingStub jobs;
  private final Consumer<StatusRuntimeException> onRetry;

  /** Makes a client of the server at HOST:PORT. It connects with the first call. */
  public BasicAerClient(String address) {
    this(address, failure -> {});
  }

  /**
   * Makes the same; {@code onRetry} is told when a call has failed and will be tried again, for
   * about half a minute.
   */
  public BasicAerClient(String address, Consumer<StatusRuntimeException> onRetry) {
    this.onRetry = onRetry;
    channel =
        ManagedChannelBuilder.forTarget(address)
            .usePlaintext()
            // Finds out within a minute and a half that a server is gone without a word.
            .keepAliveTime(60, TimeUnit.SECONDS)
            .keepAliveTimeout(30, TimeUnit.SECONDS)
            .build();
    jobs = JobServiceGrpc.newBlockingStub(channel);
  }

  /** Ends every call; jobs go on. */
  @Override
  public void close() {
    channel.shutdownNow();
  }

  /** Submits a job under a new request id. */
  public Job submit(JobSpec spec) {
    return submit(spec, UUID.randomUUID().toString());
  }

  /** Submits a job, as often as it takes: the request id makes sure that there is only one. */
  public Job submit(JobSpec spec, String requestId) {
    SubmitJobRequest request =
        SubmitJobRequest.newBuilder().setSpec(spec).setRequestId(requestId).build();
    return Backoff.retry(onRetry, () -> jobs.submitJob(request)).getJob();
  }

  /** Begins to watch a job's events after a sequence, 0 for all. */
  public Watch watch(String jobId, long afterSequence) {
    return new Watch(jobs, jobId, afterSequence, onRetry);
  }

  /** Asks for a job to be stopped and returns it as it stands then. */
  public Job cancel(String jobId, String reason) {
    CancelJobRequest request =
        CancelJobRequest.newBuilder().setJobId(jobId).setReason(reason).build();
    return Backoff.retry(onRetry, () -> jobs.cancelJob(request)).getJob();
  }

  /** Reads a final job's result, with its counts. */
  public Result result(String jobId) {
    try {
      return Result.parseFrom(read(jobId, "result").bytes());
    } catch (InvalidProtocolBufferException error) {
      throw Status.INTERNAL
          .withDescription("the result of job " + jobId + " is not a Result of this contract")
          .withCause(error)
          .asRuntimeException();
    }
  }

  /** Reads an array of amplitudes, such as "0/statevector". */
  public ComplexArray state(String jobId, String part) {
    return read(jobId, part).complex();
  }

  /** How often each outcome was seen. An outcome is written with classical bit 0 last. */
  public static Map<String, Long> counts(ProgramResult program) {
    Counts counts = program.getCounts();
    Map<String, Long> seen = new TreeMap<>();
    for (int index = 0; index < counts.getCountsCount(); index++) {
      StringBuilder outcome = new StringBuilder();
      for (int bit = program.getHeader().getNumClbits() - 1; bit >= 0; bit--) {
        long word = counts.getOutcomes(index * counts.getWordsPerOutcome() + bit / 64);
        outcome.append(word >>> (bit % 64) & 1);
      }
      seen.put(outcome.toString(), counts.getCounts(index));
    }
    return seen;
  }

  /** The reason and the facts that the server gave; empty for a call that never reached it. */
  public static Optional<ErrorInfo> errorInfo(StatusRuntimeException error) {
    return detail(error, ErrorInfo.class).filter(info -> info.getDomain().equals("basicaer.dev"));
  }

  static <D extends Message> Optional<D> detail(StatusRuntimeException error, Class<D> kind) {
    for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
      if (detail.is(kind)) {
        try {
          return Optional.of(detail.unpack(kind));
        } catch (InvalidProtocolBufferException damaged) {
          return Optional.empty();
        }
      }
    }
    return Optional.empty();
  }

  static boolean isFinal(JobStatus status) {
    return switch (status) {
      case JOB_STATUS_CANCELLED, JOB_STATUS_DONE, JOB_STATUS_ERROR -> true;
      default -> false;
    };
  }

  /**
   * Reads a part of a result. When the stream breaks, or a chunk arrives damaged, it goes on with
   * the first byte that is missing.
   */
  private Download read(String jobId, String part) {
    Download download = new Download(part);
    Backoff backoff = new Backoff(onRetry);
    while (!download.complete()) {
      long before = download.position();
      try {
        readOn(jobId, part, download);
      } catch (StatusRuntimeException error) {
        if (download.position() > before) {
          backoff.reset();
        }
        backoff.await(error);
      }
    }
    download.check();
    return download;
  }

  /** Takes the chunks of one stream. */
  private void readOn(String jobId, String part, Download download) {
    ReadResultRequest request =
        ReadResultRequest.newBuilder()
            .setJobId(jobId)
            .setPart(part)
            .setReadOffset(download.position())
            .setEtag(download.etag())
            .build();
    try (ServerStream<ReadResultResponse> stream =
        new ServerStream<>(() -> jobs.readResult(request))) {
      while (stream.hasNext()) {
        ReadResultResponse message = stream.next();
        switch (message.getKindCase()) {
          case HEADER -> download.begin(message.getHeader());
          case CHUNK -> download.add(message.getChunk());
          case KIND_NOT_SET -> {}
        }
      }
    }
    if (!download.complete()) {
      throw Status.UNAVAILABLE
          .withDescription("the stream ended before " + part + " did")
          .asRuntimeException();
    }
  }
}
