import type { JobSpec } from "../api/types";
import { plain, words } from "../common/format";
import { CopyButton, Fact } from "../common/parts";
import { noiseText } from "../write/noise";
import { Picture } from "../write/picture";
import { type Amplitudes, stateText } from "../write/state";

/** Which options were asked for, noise among them. */
function Options({ options }: { options: Record<string, unknown> }) {
  const entries = Object.entries(options);
  if (!entries.length) return null;
  return (
    <dl class="facts across">
      {entries.map(([name, value]) => (
        <Fact key={name} name={words(name, "").replace(/^./, (first) => first.toUpperCase())}>
          {optionText(name, value)}
        </Fact>
      ))}
    </dl>
  );
}

function optionText(name: string, value: unknown): string {
  if (name === "noise_model") return noiseText(value);
  if (name === "initial_statevector") return stateText(value as Amplitudes);
  if (typeof value === "object" && value)
    return Object.entries(value)
      .map(([field, each]) => `${words(field, "")} ${each}`)
      .join(", ");
  return plain(String(value)).replace(/[“”]/g, "");
}

/** What was run, as this browser remembers it. */
export function Source({ spec }: { spec: JobSpec }) {
  return (
    <section class="card">
      <h2>Circuit</h2>
      <Options options={spec.options ?? {}} />
      {spec.programs.map((program, index) => {
        const text = program.openqasm3 ?? program.openqasm2 ?? "";
        return (
          <div key={index}>
            <Picture program={program} />
            <details>
              <summary>OpenQASM {program.openqasm3 === undefined ? 2 : 3}</summary>
              <CopyButton text={text} />
              <pre class="code" tabIndex={0}>
                {text}
              </pre>
            </details>
          </div>
        );
      })}
    </section>
  );
}
