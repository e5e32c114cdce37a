// Each qubit by itself, as an arrow in a sphere: shorter the more it is entangled or noisy.
import { useMemo, useRef } from "preact/hooks";
import { number } from "../common/format";
import { save } from "./files";
import type { Bloch } from "./quantum";

const SIZE = 132;
const RADIUS = 50;
const LINE = "#8a93a8";
const ARROW = "#5b70e8";

export function BlochSpheres({ vectors, name }: { vectors: Bloch[]; name: string }) {
  const box = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => vectors.slice(0, 64), [vectors]);
  function download(): void {
    const across = Math.min(shown.length, 6);
    const parts = Array.from(box.current?.querySelectorAll("svg") ?? [], (svg, index) => {
      const [x, y] = [(index % across) * SIZE, Math.floor(index / across) * (SIZE + 18)];
      return `<g transform="translate(${x} ${y})">${svg.innerHTML}<text x="${SIZE / 2}" y="${SIZE + 8}" text-anchor="middle" fill="${LINE}">q${index}</text></g>`;
    });
    const [width, height] = [across * SIZE, Math.ceil(shown.length / across) * (SIZE + 18)];
    const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`;
    save(`${name}-bloch.svg`, `${head}${parts.join("")}</svg>\n`, "image/svg+xml");
  }
  return (
    <section class="card">
      <div class="card-head">
        <h2>Qubits</h2>
        <span class="downloads">
          <button type="button" class="quiet" onClick={download}>
            SVG
          </button>
        </span>
      </div>
      <div class="spheres" ref={box}>
        {shown.map((vector, index) => (
          <Sphere key={index} vector={vector} qubit={index} />
        ))}
      </div>
    </section>
  );
}

function Sphere({ vector, qubit }: { vector: Bloch; qubit: number }) {
  const { x, y, z } = vector;
  const middle = SIZE / 2;
  // Seen from the front, a little from above and from the right.
  const across = (to: Bloch): number => middle + RADIUS * (to.y - 0.35 * to.x);
  const down = (to: Bloch): number => middle - RADIUS * (to.z - 0.28 * to.x);
  const axis = (to: Bloch) => (
    <line
      x1={across({ x: -to.x, y: -to.y, z: -to.z })}
      y1={down({ x: -to.x, y: -to.y, z: -to.z })}
      x2={across(to)}
      y2={down(to)}
      stroke={LINE}
      stroke-width={0.75}
      stroke-dasharray="2 3"
    />
  );
  const [atX, atY] = [across(vector), down(vector)];
  const length = Math.hypot(x, y, z);
  return (
    <figure class="sphere">
      <svg
        width={SIZE}
        height={SIZE}
        viewBox={`0 0 ${SIZE} ${SIZE}`}
        role="img"
        aria-label={`Qubit ${qubit}: x ${number(x, 2)}, y ${number(y, 2)}, z ${number(z, 2)}`}
      >
        <circle cx={middle} cy={middle} r={RADIUS} fill={LINE} fill-opacity={0.08} stroke={LINE} />
        <ellipse
          cx={middle}
          cy={middle}
          rx={RADIUS}
          ry={RADIUS * 0.28}
          fill="none"
          stroke={LINE}
          stroke-width={0.75}
        />
        {axis({ x: 1, y: 0, z: 0 })}
        {axis({ x: 0, y: 1, z: 0 })}
        {axis({ x: 0, y: 0, z: 1 })}
        <g fill={LINE} font-size="10" text-anchor="middle">
          <text x={middle} y={11}>
            0
          </text>
          <text x={middle} y={SIZE - 3}>
            1
          </text>
        </g>
        <line
          x1={middle}
          y1={middle}
          x2={atX}
          y2={atY}
          stroke={ARROW}
          stroke-width={3}
          stroke-linecap="round"
        />
        <circle cx={atX} cy={atY} r={4.5} fill={ARROW} />
      </svg>
      <figcaption class="small">
        <strong>q{qubit}</strong> <span class="muted number">length {length.toFixed(2)}</span>
      </figcaption>
    </figure>
  );
}
