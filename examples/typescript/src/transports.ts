/**
 * Two ways to the same server, for the same generated client: grpc-js, and connect-node's own gRPC.
 *
 * Take grpc-js for its channels (name resolution, load balancing), connect-node for one dependency less.
 */
import { create, fromBinary, toBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import * as grpc from "@grpc/grpc-js";

import { StatusSchema } from "./gen/google/rpc/status_pb.js";

export interface Connection {
  readonly transport: Transport;
  close(): void;
}

/** Finds out within a minute and a half that a server is gone without a word. */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 30_000;

/** connect-node's gRPC over Node's HTTP/2. */
export function connectNode(address: string): Connection {
  const baseUrl = `http://${address}`;
  const sessionManager = new Http2SessionManager(baseUrl, {
    pingIntervalMs: KEEPALIVE_MS,
    pingTimeoutMs: KEEPALIVE_TIMEOUT_MS,
  });
  return {
    transport: createGrpcTransport({ baseUrl, sessionManager }),
    close: () => sessionManager.abort(),
  };
}

/** grpc-js behind connect's Transport: unary calls and streams from the server, which is all that the contract has. */
export function grpcJs(address: string): Connection {
  const channel = new grpc.Client(address, grpc.credentials.createInsecure(), {
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
  });
  const transport: Transport = {
    unary(method, signal, timeoutMs, header, input) {
      const request = create(method.input, input);
      return new Promise((resolve, reject) => {
        const call = channel.makeUnaryRequest(
          path(method),
          writer(method.input),
          reader(method.output),
          request,
          metadata(header),
          deadline(timeoutMs),
          (error, message) => {
            if (error) reject(connectError(error));
            else if (message) resolve({ ...answer(method), stream: false, method, message });
          },
        );
        signal?.addEventListener("abort", () => call.cancel(), { once: true });
      });
    },

    async stream(method, signal, timeoutMs, header, input) {
      const first = await input[Symbol.asyncIterator]().next();
      const call = channel.makeServerStreamRequest(
        path(method),
        writer(method.input),
        reader(method.output),
        create(method.input, first.value),
        metadata(header),
        deadline(timeoutMs),
      );
      // The iterator below throws a stream's errors; after its end there is nobody left to tell.
      call.on("error", () => undefined);
      signal?.addEventListener("abort", () => call.cancel(), { once: true });
      return { ...answer(method), stream: true, method, message: messages(call) };
    },
  };
  return { transport, close: () => channel.close() };
}

interface Method {
  readonly name: string;
  readonly parent: Parameters<Transport["unary"]>[0]["parent"];
}

function path(method: Method): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function answer(method: Method) {
  return { service: method.parent, header: new Headers(), trailer: new Headers() };
}

function writer<D extends DescMessage>(schema: D) {
  return (message: MessageShape<D>) => Buffer.from(toBinary(schema, message));
}

function reader<D extends DescMessage>(schema: D) {
  return (bytes: Buffer) => fromBinary(schema, bytes);
}

function metadata(header: HeadersInit | undefined): grpc.Metadata {
  const made = new grpc.Metadata();
  new Headers(header).forEach((value, key) => made.set(key, value));
  return made;
}

function deadline(timeoutMs: number | undefined): grpc.CallOptions {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

async function* messages<T>(call: grpc.ClientReadableStream<T>): AsyncGenerator<T> {
  try {
    yield* call;
  } catch (error) {
    throw connectError(error);
  } finally {
    call.cancel();
  }
}

/** The same error as connect-node's: its codes are gRPC's, and the details lie in a trailer. */
function connectError(error: unknown): ConnectError {
  if (!isServiceError(error)) return ConnectError.from(error);
  const made = new ConnectError(error.details, error.code as number as Code);
  const [trailer] = error.metadata.get("grpc-status-details-bin");
  if (trailer instanceof Buffer) {
    made.details = fromBinary(StatusSchema, trailer).details.map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
      value,
    }));
  }
  return made;
}

function isServiceError(error: unknown): error is grpc.ServiceError {
  return error instanceof Error && "metadata" in error && error.metadata instanceof grpc.Metadata;
}
