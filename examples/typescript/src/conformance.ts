/**
 * Puts the TypeScript client behind the protocol of `tests/conformance/README.md`: one JSON object a line, in and out.
 *
 *     node dist/conformance.js grpc-js|connect HOST:PORT
 */
import { createInterface } from "node:readline";

import {
  createRegistry,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  type DescMessage,
  type JsonValue,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

import { Client, counts, errorInfo } from "./client.js";
import { file_basicaer_v1_circuit as file_circuit } from "./gen/basicaer/v1/circuit_pb.js";
import { file_basicaer_v1_diagnostic as file_diagnostic } from "./gen/basicaer/v1/diagnostic_pb.js";
import {
  file_basicaer_v1_job as file_job,
  JobSpecSchema,
  JobStatus,
  SimulationMethod,
} from "./gen/basicaer/v1/job_pb.js";
import { file_basicaer_v1_job_service as file_job_service } from "./gen/basicaer/v1/job_service_pb.js";
import { file_basicaer_v1_result as file_result } from "./gen/basicaer/v1/result_pb.js";
import { outputs } from "./outputs.js";
import { connectNode, grpcJs } from "./transports.js";

interface Request {
  op: string;
  message: string;
  json: JsonValue;
  hex: string;
  spec: JsonValue;
  request_id?: string;
  job_id: string;
  after_sequence?: number;
  until?: string;
  part: string;
  at: number[];
  reason?: string;
}

const [, , transport, address = ""] = process.argv;
const client = new Client(address, transport === "connect" ? connectNode : grpcJs);
const registry = createRegistry(file_circuit, file_diagnostic, file_job, file_job_service, file_result);

const operations: Record<string, (request: Request) => unknown> = {
  encode({ message, json }) {
    const schema = schemaOf(message);
    return { hex: Buffer.from(toBinary(schema, fromJson(schema, json))).toString("hex") };
  },
  decode({ message, hex }) {
    const schema = schemaOf(message);
    return { json: toJson(schema, fromBinary(schema, Buffer.from(hex, "hex"))) };
  },
  async submit({ spec, request_id }) {
    const job = await client.submit(fromJson(JobSpecSchema, spec), request_id);
    return { job_id: job.jobId };
  },
  async watch({ job_id, after_sequence = 0, until }) {
    const events = [];
    for await (const { sequence, kind } of client.watch(job_id, BigInt(after_sequence))) {
      if (kind.case !== "status") continue;
      const status = JobStatus[kind.value.status];
      events.push({ sequence: Number(sequence), status });
      if (status === until) break;
    }
    return { events };
  },
  async counts({ job_id }) {
    const { programs } = await client.result(job_id);
    return { counts: programs.map((program) => Object.fromEntries(counts(program))) };
  },
  async outputs({ job_id }) {
    const { programs } = await client.result(job_id);
    return {
      outputs: programs.map((program) =>
        outputs(program).map(({ values, count }) => ({ values: Object.fromEntries(values), count })),
      ),
    };
  },
  async methods({ job_id }) {
    const { programs } = await client.result(job_id);
    return {
      methods: programs.map(({ simulationMethod, reason }) => ({
        method: SimulationMethod[simulationMethod],
        reason,
      })),
    };
  },
  async state({ job_id, part, at }) {
    const state = await client.state(job_id, part);
    return {
      shape: [state.length / 2],
      amplitudes: at.map((index) => [state[2 * index], state[2 * index + 1]]),
    };
  },
  async cancel({ job_id, reason }) {
    const { status, cancelRequested } = await client.cancel(job_id, reason);
    const otherwise = status === JobStatus.DONE || status === JobStatus.ERROR;
    return { cancelled: cancelRequested && !otherwise };
  },
};

function schemaOf(name: string): DescMessage {
  const schema = registry.getMessage(`basicaer.v1.${name}`);
  if (!schema) throw new Error(`there is no message ${name}`);
  return schema;
}

function failure(error: unknown): unknown {
  const { code, rawMessage } = ConnectError.from(error);
  const info = errorInfo(error);
  return {
    // ResourceExhausted becomes RESOURCE_EXHAUSTED, as the gRPC specification writes it.
    code: Code[code]?.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase(),
    reason: info?.reason ?? "",
    metadata: info?.metadata ?? {},
    message: rawMessage,
  };
}

for await (const line of createInterface(process.stdin)) {
  const request = JSON.parse(line) as Request;
  const operation = operations[request.op];
  if (!operation) throw new Error(`there is no operation ${request.op}`);
  let reply: unknown;
  try {
    reply = await operation(request);
  } catch (error) {
    reply = { error: failure(error) };
  }
  // JSON's numbers don't hold every integer.
  console.log(
    JSON.stringify(reply, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
  );
}
client.close();
