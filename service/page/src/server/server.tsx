// How the server is doing.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, Problem } from "../api/client";
import type { BackendInfo, Member, ServerInfo, Session } from "../api/types";
import { bytes, count, day, plain, seconds, words } from "../common/format";
import { useNow, usePolling } from "../common/hooks";
import { Fact, Notice } from "../common/parts";
import { Callers, Members } from "./shared";
import { Line } from "./spark";

const EVERY = 1000;
const KEPT = 120;

/** What runs and what could: of all that share their jobs where there are several, else of the server itself. */
function loadOf(info: ServerInfo, gauges: Record<string, number> | undefined) {
  const { members = [] } = info;
  if (!members.length)
    return {
      running: Number(info.runningJobs ?? 0),
      workers: info.workers ?? 0,
      bytes: gauges?.["admittedBytes"],
      mostBytes: Number(info.limits?.maxMemoryBytes ?? 0),
    };
  const sum = (value: (member: Member) => number | string | undefined): number =>
    members.reduce((all, member) => all + Number(value(member) ?? 0), 0);
  return {
    running: sum(({ runningJobs }) => runningJobs),
    workers: sum(({ workers }) => workers),
    bytes: sum(({ runningBytes }) => runningBytes),
    mostBytes: sum(({ maxMemoryBytes }) => maxMemoryBytes),
  };
}

interface Point {
  running: number;
  queued: number;
  memory: number;
}

export function ServerView({ session }: { session: Session }) {
  const [info, setInfo] = useState<ServerInfo>();
  const [backends, setBackends] = useState<BackendInfo[]>([]);
  const [load, setLoad] = useState<Record<string, number>>();
  const [trouble, setTrouble] = useState("");
  const points = useRef<Point[]>([]);

  useEffect(() => {
    document.title = "Server – BasicAer";
    api.backends().then(setBackends, () => {});
  }, []);
  usePolling(
    async () => {
      try {
        const [found, gauges] = await Promise.all([
          api.info(),
          session.admin ? api.load() : Promise.resolve(undefined),
        ]);
        const { running, bytes: memory = 0 } = loadOf(found, gauges);
        const point = { running, queued: Number(found.queuedJobs ?? 0), memory };
        points.current = [...points.current, point].slice(-KEPT);
        setInfo(found);
        setLoad(gauges);
        setTrouble("");
      } catch (error) {
        if (error instanceof Problem) setTrouble(error.message);
      }
    },
    EVERY,
    "",
  );
  const history = points.current;
  const now = info && loadOf(info, load);

  return (
    <>
      <div class="head">
        <h1>Server</h1>
      </div>
      {trouble && <Notice kind="bad">{trouble} What is shown is from before.</Notice>}
      {info && now && (
        <>
          <div class="tiles">
            <Tile
              name="Running"
              value={count(now.running)}
              of={`of ${count(now.workers)} at once`}
              line={history.map(({ running }) => running)}
              most={Math.max(now.workers, now.running, 1)}
            />
            <Tile
              name="Waiting"
              value={count(info.queuedJobs)}
              of={`of ${count(info.limits?.maxQueuedJobs)} at most`}
              line={history.map(({ queued }) => queued)}
              most={Math.max(...history.map(({ queued }) => queued), 1)}
            />
            {now.bytes !== undefined && (
              <Tile
                name="Memory of running jobs"
                value={bytes(now.bytes)}
                of={`of ${bytes(now.mostBytes)}`}
                line={history.map(({ memory }) => memory)}
                most={Math.max(...history.map(({ memory }) => memory), 1)}
              />
            )}
          </div>
          <div class="columns">
            <div class="stack">
              <Members members={info.members ?? []} />
              <Backends backends={backends} />
            </div>
            <div class="stack side">
              <Callers callers={info.callers ?? []} />
              <About info={info} load={load} session={session} />
            </div>
          </div>
        </>
      )}
    </>
  );
}

function Tile(props: { name: string; value: string; of: string; line: number[]; most: number }) {
  return (
    <section class="card tile" aria-label={props.name}>
      <h2>{props.name}</h2>
      <p class="big number">{props.value}</p>
      <p class="muted small">{props.of}</p>
      <Line values={props.line} most={props.most} room={KEPT} label={`${props.name}, the last two minutes`} />
    </section>
  );
}

function About({
  info,
  load,
  session,
}: {
  info: ServerInfo;
  load: Record<string, number> | undefined;
  session: Session;
}) {
  const now = useNow(1000);
  const retention = String(info.limits?.["resultRetention"] ?? "").replace(/s$/, "");
  return (
    <section class="card">
      <h2>About it</h2>
      <dl class="facts">
        <Fact name="Version">{info.version}</Fact>
        <Fact name="Up for">{seconds((now - Date.parse(info.startTime)) / 1000)}</Fact>
        <Fact name="Since">{day(info.startTime)}</Fact>
        <Fact name="Workers">{count(info.workers)}</Fact>
        <Fact name="Memory for jobs">{bytes(info.limits?.maxMemoryBytes)}</Fact>
        {retention && <Fact name="Results are kept">{seconds(Number(retention))}</Fact>}
        {load && <Fact name="Calls in progress">{count(load["openCalls"])}</Fact>}
        {load && <Fact name="Long checks">{count(load["longChecks"])}</Fact>}
        <Fact name="You are">{session.principal || "anyone: nobody is asked"}</Fact>
      </dl>
      <p class="small links">
        <a href="/v1/openapi.json">The contract as OpenAPI</a>
        <a href="/page/licences.txt">Licences of this page’s parts</a>
      </p>
    </section>
  );
}

function Backends({ backends }: { backends: BackendInfo[] }) {
  return (
    <section class="card">
      <h2>Backends</h2>
      <ul class="backends">
        {backends.map((backend) => (
          <li key={backend.name}>
            <h3>{backend.name}</h3>
            <p>{plain(backend.description)}</p>
            <p class="muted small">
              {backend.maxQubits} qubits as a state vector
              {backend.methods?.length
                ? `; methods: ${backend.methods.map((method) => words(method, "SIMULATION_METHOD_")).join(", ")}`
                : ""}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
