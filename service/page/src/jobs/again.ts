import { api } from "../api/client";
import { remember } from "../api/remembered";
import type { JobSpec } from "../api/types";

/** Submits a job; returns its id. A request id makes it one job, however often the call is repeated. */
export async function runAgain(spec: JobSpec): Promise<string> {
  const job = await api.submit(spec, newRequestId());
  remember(job.jobId, spec);
  return job.jobId;
}

/** A new id. `crypto.randomUUID` isn't there on a page without TLS. */
export function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `page-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
