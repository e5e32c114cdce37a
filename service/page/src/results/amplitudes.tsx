// A state's amplitudes: how likely each basis state is, and with which phase.
import { useMemo, useState } from "preact/hooks";
import { number } from "../common/format";
import { Choice, plural } from "../common/parts";
import { Bars, barsSvg } from "./bars";
import type { Loaded } from "./data";
import { csv, save } from "./files";
import { basisState, phaseColour } from "./quantum";
import { Rows } from "./rows";

const ORDERS = [
  ["state", "By state"],
  ["probability", "By probability"],
] as const;
type By = (typeof ORDERS)[number][0];

export function Amplitudes({ loaded, name }: { loaded: Loaded; name: string }) {
  const { values } = loaded;
  const length = values.length / 2;
  const qubits = Math.round(Math.log2(length));
  const [by, setBy] = useState<By>("state");
  const weights = useMemo(() => weightsOf(loaded), [loaded]);
  const places = useMemo(() => {
    const all = Uint32Array.from(weights, (_, index) => index);
    return by === "state" ? all : all.sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
  }, [weights, by]);
  const at = (row: number): number => places[row] ?? 0;
  const phase = (index: number): number =>
    Math.atan2(Number(values[2 * index + 1]), Number(values[2 * index]));
  const bars = useMemo(
    () => ({
      count: length,
      value: (row: number) => Math.sqrt(weights[places[row] ?? 0] ?? 0),
      colour: (row: number) => {
        const index = places[row] ?? 0;
        return phaseColour(Math.atan2(Number(values[2 * index + 1]), Number(values[2 * index])), 55);
      },
      name: (row: number) => basisState(places[row] ?? 0, qubits),
      label: `Magnitudes of ${plural(length, "amplitude")}; the colour is the phase`,
    }),
    [length, weights, places, values, qubits],
  );
  function* table() {
    for (let index = 0; index < length; index += 1)
      yield [basisState(index, qubits), Number(values[2 * index]), Number(values[2 * index + 1])];
  }
  return (
    <section class="card">
      <div class="card-head">
        <h2>Amplitudes</h2>
        <PhaseKey />
        <span class="downloads">
          <button
            type="button"
            class="quiet"
            onClick={() => save(`${name}.csv`, csv(["state", "real", "imaginary"], table()), "text/csv")}
          >
            CSV
          </button>
          <button
            type="button"
            class="quiet"
            onClick={() => save(`${name}.svg`, barsSvg(bars), "image/svg+xml")}
          >
            SVG
          </button>
        </span>
      </div>
      <Bars {...bars} />
      <Choice label="Order" tabs={ORDERS} chosen={by} onChoose={setBy} />
      <Rows
        label="Amplitudes by basis state"
        count={length}
        columns={[
          { name: "State", kind: "rows-name" },
          { name: "Magnitude", kind: "rows-number" },
          { name: "Phase", kind: "rows-phase" },
          { name: "Probability", kind: "rows-bar" },
        ]}
        cells={(row) => {
          const index = at(row);
          const weight = weights[index] ?? 0;
          return [
            <code key="state">|{basisState(index, qubits)}⟩</code>,
            number(Math.sqrt(weight)),
            weight < 1e-20 ? "" : <Phase key="phase" value={phase(index)} />,
            <Probability key="probability" value={weight} />,
          ];
        }}
      />
    </section>
  );
}

function weightsOf({ values }: Loaded): Float64Array {
  const weights = new Float64Array(values.length / 2);
  for (let index = 0; index < weights.length; index += 1)
    weights[index] = Number(values[2 * index]) ** 2 + Number(values[2 * index + 1]) ** 2;
  return weights;
}

function Phase({ value }: { value: number }) {
  const [x, y] = [8 + 6 * Math.cos(value), 8 - 6 * Math.sin(value)];
  return (
    <span class="phase">
      <svg width={16} height={16} viewBox="0 0 16 16" aria-hidden="true">
        <circle cx={8} cy={8} r={7} fill="none" stroke="currentColor" stroke-opacity={0.3} />
        <path d={`M8 8L${x.toFixed(2)} ${y.toFixed(2)}`} stroke={phaseColour(value, 50)} stroke-width={2.5} />
      </svg>
      {(value / Math.PI).toFixed(3).replace(/^-0\.000$/, "0.000")} π
    </span>
  );
}

function Probability({ value }: { value: number }) {
  return (
    <>
      <span class="bar" style={{ width: `${(value * 100).toFixed(2)}%` }} />
      <span class="share number">{number(value)}</span>
    </>
  );
}

/** Which colour is which phase. */
export function PhaseKey() {
  const steps = Array.from({ length: 24 }, (_, index) => index);
  return (
    <span class="phase-key muted small">
      phase −π
      <svg width={72} height={10} viewBox="0 0 24 1" preserveAspectRatio="none" aria-hidden="true">
        {steps.map((step) => (
          <rect
            key={step}
            x={step}
            width={1.05}
            height={1}
            fill={phaseColour(((step + 0.5) / 24) * 2 * Math.PI - Math.PI, 55)}
          />
        ))}
      </svg>
      π
    </span>
  );
}
