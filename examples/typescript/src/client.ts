/**
 * Submits circuits to a BasicAer server, watches the jobs, and reads what they gave.
 *
 * It is an example to start from: everything that it knows is in `protos/basicaer/v1`.
 */
import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Client as Stub } from "@connectrpc/connect";

import { Download } from "./download.js";
import { JobStatus, type Event, type Job, type JobSpecSchema } from "./gen/basicaer/v1/job_pb.js";
import { JobService } from "./gen/basicaer/v1/job_service_pb.js";
import { ResultSchema, type ProgramResult, type Result } from "./gen/basicaer/v1/result_pb.js";
import { ErrorInfoSchema, type ErrorInfo } from "./gen/google/rpc/error_details_pb.js";
import { Backoff, retry, type OnRetry } from "./retry.js";
import { grpcJs, type Connection } from "./transports.js";

export class Client {
  readonly #connection: Connection;
  readonly #jobs: Stub<typeof JobService>;
  /** Is told when a call has failed and will be tried again, for about half a minute. */
  onRetry: OnRetry | undefined;

  /** Makes a client of the server at HOST:PORT. It connects with the first call. */
  constructor(address: string, connect: (address: string) => Connection = grpcJs) {
    this.#connection = connect(address);
    this.#jobs = createClient(JobService, this.#connection.transport);
  }

  /** Ends every call; jobs go on. */
  close(): void {
    this.#connection.close();
  }

  /** Submits a job, as often as it takes: the request id makes sure that there is only one. */
  async submit(
    spec: MessageInitShape<typeof JobSpecSchema>,
    requestId: string = crypto.randomUUID(),
  ): Promise<Job> {
    const response = await retry(() => this.#jobs.submitJob({ spec, requestId }), this.onRetry);
    return jobOf(response.job);
  }

  /**
   * Yields a job's events after a sequence (0 for all), up to the final one. When the stream breaks it goes on after
   * the last event that it saw, so each change of status comes exactly once.
   */
  async *watch(jobId: string, afterSequence = 0n): AsyncGenerator<Event> {
    const backoff = new Backoff(this.onRetry);
    let cursor = afterSequence;
    for (;;) {
      const stream = new AbortController();
      try {
        const request = { jobId, afterSequence: cursor };
        for await (const { job, event } of this.#jobs.watchJob(request, { signal: stream.signal })) {
          if (job && isFinal(job.status) && job.sequence <= cursor) return;
          if (!event) continue;
          if (event.kind.case === "status") {
            // Durable: in the order of its sequence, without gaps.
            if (event.sequence <= cursor) continue;
            if (event.sequence > cursor + 1n) {
              throw unavailable(`event ${event.sequence} came after event ${cursor}`);
            }
            cursor = event.sequence;
            backoff.reset();
          }
          yield event;
          if (event.kind.case === "status" && isFinal(event.kind.value.status)) return;
        }
        throw unavailable("the stream ended before the job did");
      } catch (error) {
        await backoff.wait(error);
      } finally {
        stream.abort();
      }
    }
  }

  /** Asks for a job to be stopped and returns it as it stands then. */
  async cancel(jobId: string, reason = ""): Promise<Job> {
    const response = await retry(() => this.#jobs.cancelJob({ jobId, reason }), this.onRetry);
    return jobOf(response.job);
  }

  /** Reads a final job's result, with its counts. */
  async result(jobId: string): Promise<Result> {
    return fromBinary(ResultSchema, (await this.#read(jobId, "result")).bytes());
  }

  /** Reads an array of amplitudes, such as "0/statevector": real and imaginary parts by turns. */
  async state(jobId: string, part: string): Promise<Float64Array> {
    return (await this.#read(jobId, part)).complex();
  }

  /**
   * Reads a part of a result. When the stream breaks, or a chunk arrives damaged, it goes on with the first byte that
   * is missing.
   */
  async #read(jobId: string, part: string): Promise<Download> {
    const download = new Download(part);
    const backoff = new Backoff(this.onRetry);
    while (!download.complete) {
      const stream = new AbortController();
      const before = download.position;
      try {
        const request = { jobId, part, readOffset: BigInt(before), etag: download.etag };
        for await (const { kind } of this.#jobs.readResult(request, { signal: stream.signal })) {
          if (kind.case === "header") download.begin(kind.value);
          if (kind.case === "chunk") download.add(kind.value);
        }
        if (!download.complete) throw unavailable(`the stream ended before ${part} did`);
      } catch (error) {
        if (download.position > before) backoff.reset();
        await backoff.wait(error);
      } finally {
        stream.abort();
      }
    }
    download.check();
    return download;
  }
}

/** How often each outcome was seen. An outcome is written with classical bit 0 last. */
export function counts(program: ProgramResult): Map<string, number> {
  const { wordsPerOutcome = 1, outcomes = [], counts = [] } = program.counts ?? {};
  const width = program.header?.numClbits ?? 0;
  return new Map(
    counts.map((count, index) => {
      const words = outcomes.slice(index * wordsPerOutcome, (index + 1) * wordsPerOutcome);
      const outcome = words.reduceRight((value, word) => (value << 64n) | word, 0n);
      return [outcome.toString(2).padStart(width, "0"), Number(count)];
    }),
  );
}

/** The reason and the facts that the server gave for a failed call; undefined for a call that never reached it. */
export function errorInfo(error: unknown): ErrorInfo | undefined {
  return ConnectError.from(error)
    .findDetails(ErrorInfoSchema)
    .find(({ domain }) => domain === "basicaer.dev");
}

function isFinal(status: JobStatus): boolean {
  return [JobStatus.CANCELLED, JobStatus.DONE, JobStatus.ERROR].includes(status);
}

function jobOf(job: Job | undefined): Job {
  if (!job)
    throw new ConnectError("the server answered without a job: is it a BasicAer server?", Code.Internal);
  return job;
}

function unavailable(message: string): ConnectError {
  return new ConnectError(message, Code.Unavailable);
}
