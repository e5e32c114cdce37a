// Calls of the server. Who is signed in is in a cookie that scripts can't see.
import type {
  BackendInfo,
  Diagnostic,
  Drawing,
  Job,
  JobSpec,
  Program,
  Result,
  ServerInfo,
  Session,
} from "./types";

/** What the server says when it refuses (RFC 9457), or that it can't be reached (status 0). */
export class Problem extends Error {
  readonly status: number;
  readonly reason: string;
  readonly diagnostics: Diagnostic[];

  constructor(
    status: number,
    told: { detail?: string; reason?: string; diagnostics?: { diagnostics?: Diagnostic[] } },
  ) {
    super(told.detail ?? "The server can't be reached.");
    this.status = status;
    this.reason = told.reason ?? "";
    this.diagnostics = told.diagnostics?.diagnostics ?? [];
  }
}

type Signed = (signedIn: boolean) => void;
let onSigned: Signed = () => {};

/** Lets `told` know when the server no longer knows who asks. */
export function whenSignedOut(told: Signed): void {
  onSigned = told;
}

async function call(method: string, path: string, body?: unknown, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (body !== undefined) headers.set("content-type", "application/json");
  let answer: Response;
  try {
    answer = await fetch(path, {
      ...init,
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, {});
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({ detail: `The server answered ${answer.status}.` }));
  if (answer.status === 401 && !path.startsWith("/page/session")) onSigned(false);
  throw new Problem(answer.status, told);
}

async function json<T>(method: string, path: string, body?: unknown, init?: RequestInit): Promise<T> {
  return (await (await call(method, path, body, init)).json()) as T;
}

const job = (id: string): string => `/v1/jobs/${encodeURIComponent(id)}`;

export const api = {
  session: (): Promise<Session> => json("GET", "/page/session"),
  signIn: (token: string): Promise<Response> => call("POST", "/page/session", { token }),
  signOut: (): Promise<Response> => call("DELETE", "/page/session"),
  info: (): Promise<ServerInfo> => json("GET", "/v1/info"),
  backends: async (): Promise<BackendInfo[]> =>
    (await json<{ backends?: BackendInfo[] }>("GET", "/v1/backends")).backends ?? [],
  jobs: (query: URLSearchParams, signal?: AbortSignal): Promise<{ jobs?: Job[]; nextPageToken?: string }> =>
    json("GET", `/v1/jobs?${query}`, undefined, signal ? { signal } : {}),
  job: async (id: string): Promise<Job> => (await json<{ job: Job }>("GET", job(id))).job,
  cancel: (id: string): Promise<unknown> =>
    json("POST", `${job(id)}:cancel`, { reason: "asked for on the page" }),
  remove: (id: string): Promise<unknown> => json("DELETE", job(id)),
  submit: async (spec: JobSpec, requestId: string): Promise<Job> =>
    (await json<{ job: Job }>("POST", "/v1/jobs", spec, { headers: { "idempotency-key": requestId } })).job,
  check: async (spec: JobSpec, signal: AbortSignal): Promise<Job> =>
    (await json<{ job: Job }>("POST", "/v1/jobs?validate_only=true", spec, { signal })).job,
  drawing: (program: Program, signal: AbortSignal): Promise<Drawing> =>
    json("POST", "/page/drawing", program, { signal }),
  result: (id: string): Promise<Result> => json("GET", `${job(id)}/result`),
  load: (): Promise<Record<string, number>> => json("GET", "/page/load"),
  part: async (id: string, part: string): Promise<ArrayBuffer> =>
    (await call("GET", `${job(id)}/result/${part}`)).arrayBuffer(),
};
