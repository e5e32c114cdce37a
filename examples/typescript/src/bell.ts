/**
 * Runs a Bell pair on a BasicAer server, reads a state vector, cancels a job, and reads a typed error:
 *
 *     node dist/bell.js 127.0.0.1:50051
 */
import { bell, endless, on, superposition } from "./circuits.js";
import { Client, counts, errorInfo } from "./client.js";
import { JobStatus } from "./gen/basicaer/v1/job_pb.js";

const address = process.argv[2] ?? "127.0.0.1:50051";
const client = new Client(address);
client.onRetry = ({ message }) => console.error(`${address}: ${message}; trying again for half a minute`);
try {
  const job = await client.submit(on("qasm_simulator", bell));
  for await (const { sequence, kind } of client.watch(job.jobId)) {
    console.log(sequence, kind.case === "status" ? JobStatus[kind.value.status] : kind.case);
  }
  const result = await client.result(job.jobId);
  console.log(result.programs.map(counts));

  const pure = await client.submit(on("statevector_simulator", superposition(3)));
  for await (const _ of client.watch(pure.jobId));
  console.log(await client.state(pure.jobId, "0/statevector"));

  const { jobId } = await client.submit(on("qasm_simulator", endless));
  const stopped = await client.cancel(jobId, "only an example");
  console.log("to be cancelled:", stopped.cancelRequested);

  await client.submit(on("no_such_backend", bell)).catch((error: unknown) => {
    const info = errorInfo(error);
    if (!info) throw error;
    console.log(info.reason, info.metadata);
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  client.close();
}
