package dev.basicaer.examples;

import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Grows the pause between tries, with jitter, so that the clients of a restarted server don't all
 * return at once.
 */
final class Backoff {
  private static final long FIRST_PAUSE_MS = 50;
  private static final long LONGEST_PAUSE_MS = 2000;

  /** In a row; about half a minute. */
  private static final int MAX_FAILURES = 20;

  private final Consumer<StatusRuntimeException> onRetry;
  private int failures;

  /** {@code onRetry} is told of a failure before the first of the tries that follow it. */
  Backoff(Consumer<StatusRuntimeException> onRetry) {
    this.onRetry = onRetry;
  }

  void reset() {
    failures = 0;
  }

  /** Returns when it is time for another try. Throws the error that another try can't mend. */
  void await(StatusRuntimeException error) {
    Status.Code code = error.getStatus().getCode();
    // CANCELLED says that the server's limit of waiting calls was reached: our own ends no call by
    // an error.
    boolean passing = code == Status.Code.UNAVAILABLE || code == Status.Code.CANCELLED;
    if (!passing || failures == MAX_FAILURES) {
      throw error;
    }
    if (failures == 0) {
      onRetry.accept(error);
    }
    long longest = Math.min(FIRST_PAUSE_MS << failures, LONGEST_PAUSE_MS);
    failures++;
    long asked =
        BasicAerClient.detail(error, RetryInfo.class)
            .map(RetryInfo::getRetryDelay)
            .map(delay -> Duration.ofSeconds(delay.getSeconds(), delay.getNanos()).toMillis())
            .orElse(0L);
    try {
      Thread.sleep(asked + ThreadLocalRandom.current().nextLong(longest / 2, longest));
    } catch (InterruptedException interruption) {
      Thread.currentThread().interrupt();
      throw error;
    }
  }

  /** Calls until the call succeeds or fails for good. Only for calls that may be repeated. */
  static <R> R retry(Consumer<StatusRuntimeException> onRetry, Supplier<R> call) {
    Backoff backoff = new Backoff(onRetry);
    while (true) {
      try {
        return call.get();
      } catch (StatusRuntimeException error) {
        backoff.await(error);
      }
    }
  }
}
