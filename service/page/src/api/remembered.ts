// The programs that were sent from this browser. The contract doesn't give a job's programs back, so what the
// page shows of them, and sends again, is what it kept itself.
import type { JobSpec } from "./types";

const PREFIX = "basicaer:spec:";
const INDEX = "basicaer:specs";
const DRAFT = "basicaer:draft";
const MOST = 50;
const MOST_CHARACTERS = 64 * 1024;

export interface Draft {
  text: string;
  language: "openqasm2" | "openqasm3";
  backendName: string;
  options: Record<string, string>;
  labels: string;
}

function read<T>(key: string): T | undefined {
  try {
    const text = localStorage.getItem(key);
    return text === null ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // No room, or none allowed: then nothing is remembered.
  }
}

export function remember(jobId: string, spec: JobSpec): void {
  if (JSON.stringify(spec).length > MOST_CHARACTERS) return;
  const ids = [jobId, ...(read<string[]>(INDEX) ?? []).filter((id) => id !== jobId)];
  for (const old of ids.splice(MOST)) localStorage.removeItem(PREFIX + old);
  write(PREFIX + jobId, spec);
  write(INDEX, ids);
}

export function remembered(jobId: string): JobSpec | undefined {
  return read<JobSpec>(PREFIX + jobId);
}

export function saveDraft(draft: Draft): void {
  write(DRAFT, draft);
}

export function savedDraft(): Draft | undefined {
  return read<Draft>(DRAFT);
}

/** What a browser forgets when somebody signs out. */
export function forgetAll(): void {
  for (const id of read<string[]>(INDEX) ?? []) localStorage.removeItem(PREFIX + id);
  localStorage.removeItem(INDEX);
  localStorage.removeItem(DRAFT);
}
