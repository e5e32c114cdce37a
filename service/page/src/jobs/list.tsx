// The list of jobs, live.
import { useEffect, useState } from "preact/hooks";
import { api, Problem } from "../api/client";
import { remembered } from "../api/remembered";
import type { Job } from "../api/types";
import { isFinal } from "../api/watch";
import { ago, between, count, seconds } from "../common/format";
import { useNow, usePolling } from "../common/hooks";
import { Choice, Labels, Notice, ProgressBar, plural, Status, Who } from "../common/parts";
import { go, Link } from "../router";
import { runAgain } from "./again";

const PAGE = 50;
const MOST = 1000;
const EVERY = 1000;

const SHOWN = [
  ["all", "All"],
  ["open", "Open"],
  ["done", "Done"],
  ["failed", "Failed"],
] as const;
type Shown = (typeof SHOWN)[number][0];

const STATUSES: Record<Shown, string[]> = {
  all: [],
  open: ["INITIALIZING", "QUEUED", "VALIDATING", "RUNNING"],
  done: ["DONE"],
  failed: ["ERROR", "CANCELLED"],
};

function queryOf(shown: Shown, label: string, size: number): URLSearchParams {
  const query = new URLSearchParams({ page_size: String(size) });
  for (const status of STATUSES[shown]) query.append("statuses", `JOB_STATUS_${status}`);
  const [key, ...value] = label.split("=");
  if (key && value.length) query.append(`labels[${key.trim()}]`, value.join("=").trim());
  return query;
}

export function JobsView() {
  const [shown, setShown] = useState<Shown>("all");
  const [label, setLabel] = useState("");
  const [size, setSize] = useState(PAGE);
  const [jobs, setJobs] = useState<Job[]>();
  const [more, setMore] = useState(false);
  const [trouble, setTrouble] = useState("");
  const query = queryOf(shown, label, size);

  useEffect(() => {
    document.title = "Jobs – BasicAer";
  }, []);
  async function look(signal?: AbortSignal): Promise<void> {
    try {
      const found = await api.jobs(query, signal);
      setJobs(found.jobs ?? []);
      setMore(Boolean(found.nextPageToken));
      setTrouble("");
    } catch (error) {
      if (error instanceof Problem) setTrouble(error.message);
    }
  }
  usePolling(look, EVERY, query.toString());

  return (
    <>
      <div class="head">
        <h1>Jobs</h1>
        <Link to="/write" class="button primary">
          Write a circuit
        </Link>
      </div>
      <div class="filters">
        <Choice label="Status" tabs={SHOWN} chosen={shown} onChoose={setShown} />
        <label class="field inline">
          <span>Label</span>
          <input
            type="search"
            placeholder="key=value"
            value={label}
            onInput={(event) => setLabel(event.currentTarget.value)}
          />
        </label>
      </div>
      {trouble && <Notice kind="bad">{trouble} The list is as it was; it goes on by itself.</Notice>}
      {jobs && !jobs.length && <Nothing filtered={shown !== "all" || label.includes("=")} />}
      {jobs && jobs.length > 0 && <Table jobs={jobs} look={() => void look()} />}
      {more && size < MOST && (
        <p class="more">
          <button type="button" onClick={() => setSize(Math.min(MOST, size * 2))}>
            Show more
          </button>
        </p>
      )}
    </>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  if (filtered) return <p class="empty">No job is like that.</p>;
  return (
    <div class="empty">
      <p>No jobs yet. Write a circuit and run it, or send one:</p>
      <pre class="code" tabIndex={0}>
        basicaer run circuit.qasm --server {location.hostname}:50051
      </pre>
    </div>
  );
}

function Table({ jobs, look }: { jobs: Job[]; look: () => void }) {
  const now = useNow(1000);
  // Where nobody is asked who they are, nobody has a name.
  const named = jobs.some(({ principal }) => principal);
  return (
    <div class="card table-card">
      <table class="jobs">
        <caption class="hidden">Jobs, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Job</th>
            {named && <th scope="col">Who</th>}
            <th scope="col">Work</th>
            <th scope="col">Labels</th>
            <th scope="col" class="right">
              Submitted
            </th>
            <th scope="col" class="right">
              Took
            </th>
            <th scope="col">
              <span class="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <Row key={job.jobId} job={job} named={named} now={now} look={look} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ job, named, now, look }: { job: Job; named: boolean; now: number; look: () => void }) {
  return (
    <tr>
      <td class="cell-status">
        <Status status={job.status} />
        <Standing job={job} />
      </td>
      <td class="cell-job">
        <Link to={`/jobs/${job.jobId}`} class="job-id">
          {job.jobId.slice(0, 12)}
        </Link>
        <span class="muted small">{job.backendName}</span>
      </td>
      {named && <td class="cell-who">{job.principal && <Who principal={job.principal} />}</td>}
      <td class="cell-work muted">
        {Number(job.numPrograms) > 1 && `${plural(job.numPrograms ?? 0, "program")}, `}
        {plural(job.shots ?? 0, "shot")}
      </td>
      <td class="cell-labels">
        <Labels labels={job.labels} />
      </td>
      <td class="cell-age right number">
        <time dateTime={job.createTime} title={new Date(job.createTime).toLocaleString()}>
          {ago(job.createTime, now)}
        </time>
      </td>
      <td class="cell-took right number">{job.startTime && seconds(between(job.startTime, job.endTime))}</td>
      <td class="cell-do right">
        <Action job={job} look={look} />
      </td>
    </tr>
  );
}

function Standing({ job }: { job: Job }) {
  if (job.status === "JOB_STATUS_QUEUED")
    return (
      <span class="muted small">{job.queuePosition ? `${count(job.queuePosition)} ahead` : "next"}</span>
    );
  if (job.status === "JOB_STATUS_RUNNING" && job.progress)
    return <ProgressBar progress={job.progress} label={`Progress of ${job.jobId.slice(0, 12)}`} />;
  return null;
}

function Action({ job, look }: { job: Job; look: () => void }) {
  const short = job.jobId.slice(0, 12);
  if (!isFinal(job.status)) {
    if (job.cancelRequested) return <span class="muted small">stopping</span>;
    return (
      <button
        type="button"
        class="quiet"
        aria-label={`Cancel ${short}`}
        onClick={() => void api.cancel(job.jobId).finally(look)}
      >
        Cancel
      </button>
    );
  }
  const spec = remembered(job.jobId);
  if (!spec) return null;
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`Run ${short} again`}
      onClick={() => void runAgain(spec).then((id) => go(`/jobs/${id}`), look)}
    >
      Again
    </button>
  );
}
