// A job's events as they come, whatever happens to the server meanwhile.
import type { Job, JobEvent } from "./types";

export type Link = "live" | "lost" | "ended";

interface Told {
  job(job: Job): void;
  event(event: JobEvent): void;
  link(state: Link): void;
}

const PAUSE = 1000;
const FINAL = new Set(["JOB_STATUS_CANCELLED", "JOB_STATUS_DONE", "JOB_STATUS_ERROR"]);

export function isFinal(status: string): boolean {
  return FINAL.has(status);
}

/**
 * Follows a job from its first event on; returns what ends that.
 *
 * While the page isn't seen it doesn't: a browser has six connections to a server for all of its pages, and those
 * that nobody looks at would keep the others from loading.
 *
 * `EventSource` connects again by itself when a connection breaks, but not after an answer that is no stream:
 * a server that starts gives one. Then this asks again, for what comes after the last event that was told.
 */
export function watchJob(id: string, told: Told): () => void {
  let source: EventSource | undefined;
  let timer: number | undefined;
  let after = "0";

  function onMessage(message: MessageEvent<string>): void {
    told.link("live");
    const { job, event } = JSON.parse(message.data) as { job?: Job; event?: JobEvent };
    if (job) told.job(job);
    if (!event) return;
    if (event.sequence && event.status) after = event.sequence;
    told.event(event);
    if (event.status && isFinal(event.status.status)) {
      told.link("ended");
      close();
    }
  }

  function onError(): void {
    told.link("lost");
    if (source?.readyState === EventSource.CLOSED) {
      window.clearTimeout(timer);
      timer = window.setTimeout(open, PAUSE);
    }
  }

  function open(): void {
    source?.close();
    source = new EventSource(`/v1/jobs/${encodeURIComponent(id)}:watch?after_sequence=${after}`);
    source.onmessage = onMessage;
    source.onerror = onError;
  }

  function pause(): void {
    source?.close();
    window.clearTimeout(timer);
  }

  function onSeen(): void {
    pause();
    if (!document.hidden) open();
  }

  function close(): void {
    pause();
    document.removeEventListener("visibilitychange", onSeen);
  }

  document.addEventListener("visibilitychange", onSeen);
  if (!document.hidden) open();
  return close;
}
