// Who shares a server: the callers whose jobs it has, and the processes that run them with it.
import type { CallerLoad, ClusterNode, Member } from "../api/types";
import { bytes, count, seconds } from "../common/format";
import { plural, Who } from "../common/parts";

/** How many jobs of each caller run and wait; a caller that is no admin sees itself alone. */
export function Callers({ callers }: { callers: CallerLoad[] }) {
  if (!callers.length) return null;
  return (
    <section class="card">
      <h2>Callers</h2>
      <table class="numbers">
        <caption class="hidden">Jobs of each caller, the most first</caption>
        <thead>
          <tr>
            <th scope="col">Who</th>
            <th scope="col" class="right">
              Running
            </th>
            <th scope="col" class="right">
              Waiting
            </th>
          </tr>
        </thead>
        <tbody>
          {callers.map(({ principal, runningJobs, queuedJobs }) => (
            <tr key={principal}>
              <th scope="row">
                <Who principal={principal} />
              </th>
              <td class="right number">{count(runningJobs)}</td>
              <td class="right number">{count(queuedJobs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const node = ({ name }: Member): string => name.replace(/:\d+$/, "");

/** The servers and workers of a service of several. */
export function Members({ members }: { members: Member[] }) {
  if (!members.length) return null;
  const servers = members.filter(({ address }) => address).length;
  const nodes = new Set(members.map(node)).size;
  const parts = [plural(servers, "server"), plural(members.length - servers, "worker")];
  return (
    <section class="card">
      <div class="card-head">
        <h2>Servers and workers</h2>
        <span class="muted small">
          {parts.join(" and ")} on {plural(nodes, "node")}
        </span>
      </div>
      <ul class="members">
        {members.map((member) => (
          <li key={member.name}>
            <h3>{member.name}</h3>
            <p class="muted small">
              {member.address ? `Takes calls at ${member.address}` : "Runs jobs, and takes no calls"}, version{" "}
              {member.version}, up for {seconds(Math.round(Number.parseFloat(member.uptime ?? "0")))}
            </p>
            <Share
              name="Jobs"
              used={Number(member.runningJobs ?? 0)}
              all={member.workers ?? 0}
              text={
                member.workers
                  ? `${count(member.runningJobs)} of ${count(member.workers)} at once`
                  : `${count(member.runningJobs)}, quick ones alone`
              }
            />
            <Share
              name="Memory"
              used={Number(member.runningBytes ?? 0)}
              all={Number(member.maxMemoryBytes ?? 0)}
              text={`${bytes(member.runningBytes)} of ${bytes(member.maxMemoryBytes)}`}
            />
            <Nodes nodes={member.nodes ?? []} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The machines on which a worker runs its jobs, when these aren't its own. */
function Nodes({ nodes }: { nodes: ClusterNode[] }) {
  if (!nodes.length) return null;
  return (
    <>
      <h4 class="muted small">On {plural(nodes.filter(({ gone }) => !gone).length, "Ray node")}</h4>
      <ul class="ray-nodes">
        {nodes.map((its, place) => (
          <li key={`${its.address} ${its.name} ${place}`}>
            <p class="small">
              {its.name} <span class="muted">{its.address}</span>
              {its.gone ? <span class="muted"> has left</span> : null}
            </p>
            {its.gone ? null : (
              <>
                <Share
                  name="Memory"
                  used={Number(its.reservedBytes ?? 0)}
                  all={Number(its.memoryBytes ?? 0)}
                  text={`${bytes(its.reservedBytes)} of ${bytes(its.memoryBytes)}`}
                />
                <p class="muted small">
                  {plural(Number(its.runningJobs ?? 0), "job")} running, {its.warmProcesses ?? 0} processes
                  kept warm, {plural(its.cpus ?? 0, "CPU")}
                </p>
              </>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function Share({ name, used, all, text }: { name: string; used: number; all: number; text: string }) {
  return (
    <p class="member-share small">
      <span class="muted">{name}</span>
      <meter min={0} max={Math.max(all, used, 1)} value={used} aria-label={`${name}: ${text}`} />
      <span class="number">{text}</span>
    </p>
  );
}
