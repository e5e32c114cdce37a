import { Code, ConnectError } from "@connectrpc/connect";
import { setTimeout as sleep } from "node:timers/promises";

import { RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** In a row; about half a minute. */
const MAX_FAILURES = 20;

/** Is told of a failure before the first of the tries that follow it. */
export type OnRetry = (failure: ConnectError) => void;

/** Grows the pause between tries, with jitter, so that the clients of a restarted server don't all return at once. */
export class Backoff {
  readonly #onRetry: OnRetry | undefined;
  #failures = 0;

  constructor(onRetry?: OnRetry) {
    this.#onRetry = onRetry;
  }

  reset(): void {
    this.#failures = 0;
  }

  /** Returns when it is time for another try. Throws the error that another try can't mend. */
  async wait(error: unknown): Promise<void> {
    const failure = ConnectError.from(error);
    // CANCELLED says that the server's limit of waiting calls was reached: our own ends no call by an error.
    const passing = failure.code === Code.Unavailable || failure.code === Code.Canceled;
    if (!passing || this.#failures === MAX_FAILURES) throw failure;
    if (this.#failures === 0) this.#onRetry?.(failure);
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures += 1;
    await sleep(retryDelayMs(failure) + longest * (0.5 + 0.5 * Math.random()));
  }
}

/** Calls until the call succeeds or fails for good. Only for calls that may be repeated. */
export async function retry<R>(call: () => Promise<R>, onRetry?: OnRetry): Promise<R> {
  const backoff = new Backoff(onRetry);
  for (;;) {
    try {
      return await call();
    } catch (error) {
      await backoff.wait(error);
    }
  }
}

/** How long the server asks to wait. */
function retryDelayMs(error: ConnectError): number {
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return delay ? Number(delay.seconds) * 1000 + delay.nanos / 1e6 : 0;
}
