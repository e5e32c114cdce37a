// Values of a sweep as curves.

import { number } from "../common/format";
import { useWidth } from "../common/hooks";
import { csv, save } from "./files";

export interface Curve {
  name: string;
  values: number[];
}

const HEIGHT = 240;
const LEFT = 56;
const BOTTOM = 28;
const COLOURS = ["#5b70e8", "#c2571a", "#1a8f6c", "#b03a8c", "#8a7a12", "#3a8fb0"];
const LINE = "#8a93a8";

export function Curves({ curves, title, name }: { curves: Curve[]; title: string; name: string }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const shown = curves.slice(0, 24);
  const length = Math.max(...shown.map(({ values }) => values.length));
  function download(): void {
    const svg = box.current?.querySelector("svg");
    if (svg) save(`${name}.svg`, `${new XMLSerializer().serializeToString(svg)}\n`, "image/svg+xml");
  }
  function* table() {
    for (let row = 0; row < length; row += 1) yield [row, ...curves.map(({ values }) => values[row] ?? "")];
  }
  return (
    <section class="card">
      <div class="card-head">
        <h2>{title}</h2>
        <span class="downloads">
          <button
            type="button"
            class="quiet"
            onClick={() =>
              save(`${name}.csv`, csv(["row", ...curves.map((curve) => curve.name)], table()), "text/csv")
            }
          >
            CSV
          </button>
          <button type="button" class="quiet" onClick={download}>
            SVG
          </button>
        </span>
      </div>
      <div class="curves" ref={box}>
        {width > 0 && <Chart curves={shown} width={width} length={length} title={title} />}
      </div>
      {shown.length > 1 && (
        <ul class="legend small">
          {shown.map((curve, index) => (
            <li key={curve.name}>
              <svg width={18} height={8} aria-hidden="true">
                <path d="M0 4h18" stroke={COLOURS[index % COLOURS.length]} stroke-width={3} />
              </svg>
              {curve.name}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Chart({
  curves,
  width,
  length,
  title,
}: {
  curves: Curve[];
  width: number;
  length: number;
  title: string;
}) {
  const all = curves.flatMap(({ values }) => values);
  let [least, most] = [Math.min(...all), Math.max(...all)];
  if (most - least < 1e-12) [least, most] = [least - 0.5, most + 0.5];
  const x = (row: number): number => LEFT + (length > 1 ? row / (length - 1) : 0.5) * (width - LEFT - 12);
  const y = (value: number): number => 10 + (1 - (value - least) / (most - least)) * (HEIGHT - BOTTOM - 20);
  const levels = [0, 0.25, 0.5, 0.75, 1].map((part) => least + part * (most - least));
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      width={width}
      height={HEIGHT}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      font-family="sans-serif"
      font-size="11"
      role="img"
      aria-label={`${title}: ${curves.length} curves over ${length} rows, from ${number(least, 3)} to ${number(most, 3)}`}
    >
      {levels.map((level) => (
        <g key={level}>
          <path d={`M${LEFT} ${y(level).toFixed(1)}H${width - 12}`} stroke={LINE} stroke-opacity={0.3} />
          <text x={LEFT - 8} y={y(level) + 4} text-anchor="end" fill={LINE}>
            {number(level, 2)}
          </text>
        </g>
      ))}
      <text x={LEFT} y={HEIGHT - 8} fill={LINE}>
        row 0
      </text>
      <text x={width - 12} y={HEIGHT - 8} text-anchor="end" fill={LINE}>
        row {length - 1}
      </text>
      {curves.map((curve, index) => (
        <g key={curve.name} stroke={COLOURS[index % COLOURS.length]} fill="none" stroke-width={2}>
          <polyline
            points={curve.values.map((value, row) => `${x(row).toFixed(1)},${y(value).toFixed(1)}`).join(" ")}
          />
          {length <= 60 &&
            curve.values.map((value, row) => (
              <circle key={row} cx={x(row)} cy={y(value)} r={2.5} fill={COLOURS[index % COLOURS.length]} />
            ))}
        </g>
      ))}
    </svg>
  );
}
