/** Against the server that `make example-typescript` starts, behind a proxy that cuts every second call. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "node:test";

import { Code, ConnectError } from "@connectrpc/connect";

import { bell, endless, on, superposition } from "../circuits.js";
import { Client, counts, errorInfo } from "../client.js";
import { JobStatus, type JobSpec } from "../gen/basicaer/v1/job_pb.js";
import { connectNode, grpcJs } from "../transports.js";

function address(variable: string): string {
  const value = process.env[variable];
  assert(value, `${variable} is not set: \`make example-typescript\` starts a server and sets it`);
  return value;
}

/** Submits a job and watches it to its end, cancelling it once it runs if that is wished. */
async function finish(client: Client, spec: JobSpec, cancel = false) {
  const { jobId } = await client.submit(spec);
  const statuses: JobStatus[] = [];
  for await (const { kind } of client.watch(jobId)) {
    if (kind.case !== "status") continue;
    statuses.push(kind.value.status);
    if (cancel && kind.value.status === JobStatus.RUNNING) await client.cancel(jobId, "test");
  }
  return { jobId, statuses };
}

for (const connect of [grpcJs, connectNode]) {
  describe(`over ${connect.name}`, () => {
    function test(name: string, body: (client: Client) => Promise<void>): void {
      it(name, async () => {
        const client = new Client(address("BASICAER_FLAKY_SERVER"), connect);
        try {
          await body(client);
        } finally {
          client.close();
        }
      });
    }

    test("a Bell pair gives equal bits", async (client) => {
      const { jobId, statuses } = await finish(client, on("qasm_simulator", bell));
      assert.deepEqual(statuses, [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.DONE]);
      const [program] = (await client.result(jobId)).programs;
      assert(program);
      const seen = counts(program);
      assert.deepEqual([...seen.keys()], ["00", "11"]);
      assert.equal((seen.get("00") ?? 0) + (seen.get("11") ?? 0), 1024);
    });

    test("a state comes in chunks", async (client) => {
      const { jobId } = await finish(client, on("statevector_simulator", superposition(17)));
      const state = await client.state(jobId, "0/statevector");
      assert.equal(state.length, 2 * 2 ** 17);
      const wrong = state.findIndex((value, index) => {
        const expected = index % 2 === 0 ? 2 ** -8.5 : 0;
        return Math.abs(value - expected) > 1e-12;
      });
      assert.equal(wrong, -1);
    });

    test("cancel ends a running job", async (client) => {
      const { statuses } = await finish(client, on("qasm_simulator", endless), true);
      assert.deepEqual(statuses, [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELLED]);
    });

    test("errors have reasons and facts", async (client) => {
      await assert.rejects(client.submit(on("no_such_backend", bell)), (error) => {
        assert.equal(ConnectError.from(error).code, Code.NotFound);
        const info = errorInfo(error);
        assert.equal(info?.reason, "BACKEND_NOT_FOUND");
        assert.equal(info.metadata["backend_name"], "no_such_backend");
        return true;
      });
    });
  });
}

it("the program runs", async () => {
  const program = fileURLToPath(new URL("../bell.js", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, address("BASICAER_SERVER")]);
  assert.match(stdout, /BACKEND_NOT_FOUND/);
});
