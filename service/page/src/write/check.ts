// The server's check of what is written, while it is written.
import { useEffect, useState } from "preact/hooks";
import { api, Problem } from "../api/client";
import type { Diagnostic, Job, JobSpec } from "../api/types";

const PAUSE = 250;

export interface Checked {
  /** "checking" until the server has said something of just this text. */
  state: "checking" | "valid" | "wrong" | "unknown";
  job?: Job;
  diagnostics: Diagnostic[];
  message: string;
}

function fault(error: Problem): Checked {
  if (error.status === 0 || error.status === 503 || error.status === 429) {
    return { state: "unknown", diagnostics: [], message: error.message };
  }
  return { state: "wrong", diagnostics: error.diagnostics, message: error.message.split("\n")[0] ?? "" };
}

export function useCheck(spec: JobSpec): Checked {
  const [checked, setChecked] = useState<Checked>({ state: "checking", diagnostics: [], message: "" });
  const key = JSON.stringify(spec);
  useEffect(() => {
    const ending = new AbortController();
    setChecked((before) => ({ ...before, state: "checking" }));
    const timer = window.setTimeout(() => {
      api.check(JSON.parse(key) as JobSpec, ending.signal).then(
        (job) => setChecked({ state: "valid", job, diagnostics: job.warnings ?? [], message: "" }),
        (error: unknown) => {
          if (error instanceof Problem) setChecked(fault(error));
        },
      );
    }, PAUSE);
    return () => {
      window.clearTimeout(timer);
      ending.abort();
    };
  }, [key]);
  return checked;
}
