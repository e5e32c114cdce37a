// A job's page: how it stands, what happened, and what came out.
import { useEffect, useReducer, useState } from "preact/hooks";
import { api, type Problem } from "../api/client";
import { remembered } from "../api/remembered";
import type { Job, JobEvent, JobSpec } from "../api/types";
import { isFinal, type Link, watchJob } from "../api/watch";
import { between, bytes, count, day, seconds } from "../common/format";
import { useNow } from "../common/hooks";
import { Fact, Labels, Notice, ProgressBar, plural, Status, Who } from "../common/parts";
import { ResultView } from "../results/result";
import { go } from "../router";
import { runAgain } from "./again";
import { Events } from "./events";
import { Snippets } from "./snippets";
import { Source } from "./source";

interface State {
  job?: Job;
  events: JobEvent[];
  link: Link;
}

type Action = { job: Job } | { event: JobEvent } | { link: Link };

function withEvent(job: Job | undefined, event: JobEvent): Job | undefined {
  if (!job) return job;
  if (event.progress) return { ...job, progress: event.progress };
  if (event.queuePosition) return { ...job, queuePosition: event.queuePosition.ahead ?? 0 };
  if (!event.status) return job;
  const { status, attempt, error } = event.status;
  const times =
    status === "JOB_STATUS_RUNNING"
      ? { startTime: event.time }
      : isFinal(status)
        ? { endTime: event.time }
        : {};
  return { ...job, status, ...times, ...(attempt ? { attempt } : {}), ...(error ? { error } : {}) };
}

function reduce(state: State, action: Action): State {
  if ("link" in action) return { ...state, link: action.link };
  if ("job" in action) return { ...state, job: action.job };
  const { event } = action;
  const job = withEvent(state.job, event);
  const next = { ...state, ...(job ? { job } : {}) };
  if (!event.status) return next;
  // A stream that begins anew tells again what was told.
  if (state.events.some((each) => each.sequence === event.sequence)) return next;
  return { ...next, events: [...state.events, event] };
}

export function JobView({ id }: { id: string }) {
  const [state, dispatch] = useReducer(reduce, { events: [], link: "live" } as State);
  const [trouble, setTrouble] = useState("");
  const status = state.job?.status;

  useEffect(() => {
    document.title = `${id.slice(0, 12)} – BasicAer`;
    let ending = (): void => {};
    let gone = false;
    api.job(id).then(
      (job) => {
        if (gone) return;
        dispatch({ job });
        ending = watchJob(id, {
          job: (found) => dispatch({ job: found }),
          event: (event) => dispatch({ event }),
          link: (link) => dispatch({ link }),
        });
      },
      (error: Problem) => setTrouble(error.message),
    );
    return () => {
      gone = true;
      ending();
    };
  }, [id]);
  // What only the job itself tells, such as its result's size.
  useEffect(() => {
    if (status && isFinal(status))
      api.job(id).then(
        (job) => dispatch({ job }),
        () => {},
      );
  }, [id, status]);

  if (trouble) return <Notice kind="bad">{trouble}</Notice>;
  if (!state.job) return <p class="muted">Reading the job …</p>;
  const spec = remembered(id);
  return (
    <>
      <Head job={state.job} spec={spec} link={state.link} />
      <div class="columns">
        <div class="stack">
          {state.job.error && <Failure job={state.job} />}
          {state.job.warnings?.map((warning) => (
            <Notice key={warning.message}>
              {warning.line ? `Line ${warning.line}: ` : ""}
              {warning.message}
            </Notice>
          ))}
          {status === "JOB_STATUS_DONE" && <ResultView id={id} />}
          {status && !isFinal(status) && <Waiting job={state.job} />}
          {spec && <Source spec={spec} />}
          <Snippets id={id} job={state.job} spec={spec} />
        </div>
        <div class="stack side">
          <Facts job={state.job} />
          <Events events={state.events} />
        </div>
      </div>
    </>
  );
}

function Head({ job, spec, link }: { job: Job; spec: JobSpec | undefined; link: Link }) {
  const [trouble, setTrouble] = useState("");
  function act(work: Promise<unknown>): void {
    setTrouble("");
    work.catch((error: Problem) => setTrouble(error.message));
  }
  const final = isFinal(job.status);
  return (
    <>
      <div class="head">
        <h1 class="job-title">
          <span class="hidden">Job </span>
          <code>{job.jobId}</code>
          <Status status={job.status} />
        </h1>
        <div class="actions">
          {!final && (
            <button type="button" disabled={job.cancelRequested} onClick={() => act(api.cancel(job.jobId))}>
              Cancel
            </button>
          )}
          {spec && (
            <button
              type="button"
              class={final ? "primary" : ""}
              onClick={() => act(runAgain(spec).then((id) => go(`/jobs/${id}`)))}
            >
              Run again
            </button>
          )}
          {final && (
            <button
              type="button"
              class="quiet"
              onClick={() => {
                if (confirm("Delete this job and its result?"))
                  act(api.remove(job.jobId).then(() => go("/")));
              }}
            >
              Delete
            </button>
          )}
        </div>
      </div>
      <Labels labels={job.labels} />
      {link === "lost" && !final && (
        <Notice kind="bad">
          The connection is lost. The job goes on where it is, and this page when the server is back.
        </Notice>
      )}
      {trouble && <Notice kind="bad">{trouble}</Notice>}
    </>
  );
}

function Failure({ job }: { job: Job }) {
  return (
    <section class="card">
      <h2>Why it failed</h2>
      <Notice kind="bad">
        <strong>{(job.error?.reason ?? "").replace("ERROR_REASON_", "")}</strong>
        {job.error?.programIndex !== undefined && ` in program ${job.error.programIndex}`}
      </Notice>
      <pre class="code wrapped" tabIndex={0}>
        {job.error?.message}
      </pre>
    </section>
  );
}

function Waiting({ job }: { job: Job }) {
  const now = useNow(500);
  const queued = job.status !== "JOB_STATUS_RUNNING";
  return (
    <section class="card waiting">
      <h2>{queued ? "Waiting" : "Running"}</h2>
      {queued ? (
        <p class="muted">
          {job.queuePosition
            ? `${plural(job.queuePosition, "job")} ${job.queuePosition === 1 ? "is" : "are"} ahead of it.`
            : "It is the next to run."}
        </p>
      ) : (
        <>
          <ProgressBar progress={job.progress ?? {}} label="Progress" />
          <p class="muted">
            {Number(job.progress?.shotsTotal) > 1 &&
              `${count(job.progress?.shotsDone)} of ${plural(job.progress?.shotsTotal ?? 0, "shot")}, `}
            for {seconds((now - Date.parse(job.startTime ?? job.createTime)) / 1000)}
          </p>
        </>
      )}
    </section>
  );
}

function Facts({ job }: { job: Job }) {
  return (
    <section class="card">
      <h2>Job</h2>
      <dl class="facts">
        {job.principal && (
          <Fact name="Submitted by">
            <Who principal={job.principal} />
          </Fact>
        )}
        <Fact name="Backend">{job.backendName}</Fact>
        <Fact name="Programs">{count(job.numPrograms)}</Fact>
        <Fact name="Shots">{count(job.shots)}</Fact>
        <Fact name="Submitted">{day(job.createTime)}</Fact>
        {job.startTime && <Fact name="Waited">{seconds(between(job.createTime, job.startTime))}</Fact>}
        {job.startTime && job.endTime && (
          <Fact name="Ran">{seconds(between(job.startTime, job.endTime))}</Fact>
        )}
        {Number(job.attempt) > 1 && <Fact name="Attempts">{count(job.attempt)}</Fact>}
        {job.requiredBytes && <Fact name="Memory">{bytes(job.requiredBytes)}</Fact>}
        {job.resultSizeBytes && <Fact name="Result">{bytes(job.resultSizeBytes)}</Fact>}
        {job.resultExpireTime && <Fact name="Kept until">{day(job.resultExpireTime)}</Fact>}
      </dl>
    </section>
  );
}
