// A circuit as a picture: the server says where its pieces stand.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Drawing, Program } from "../api/types";

const ROW = 40;
const BOX = 28;
const PAD = 10;
const CHARACTER = 7.4;
const DOTS = new Set(["●", "○", "×", "░"]);

type Piece = NonNullable<Drawing["columns"]>[number][number];

/** The picture of a program; while it changes, that of before. */
export function Picture({ program }: { program: Program }) {
  const [drawing, setDrawing] = useState<Drawing>();
  const key = JSON.stringify(program);
  useEffect(() => {
    const ending = new AbortController();
    const timer = window.setTimeout(() => {
      api.drawing(JSON.parse(key) as Program, ending.signal).then(
        (found) => setDrawing((before) => (found.fault && before?.columns ? before : found)),
        () => {},
      );
    }, 150);
    return () => {
      window.clearTimeout(timer);
      ending.abort();
    };
  }, [key]);
  if (!drawing) return <div class="picture" aria-hidden="true" />;
  if (drawing.fault) return <p class="muted">{drawing.fault}</p>;
  return <Wires drawing={drawing} />;
}

function widthOf(label: string): number {
  if (DOTS.has(label) || /^[╟╫╢·]$/.test(label)) return 14;
  if (/^[╟╫]/.test(label)) return label.length * CHARACTER + 8;
  return Math.max(BOX, label.length * CHARACTER + 14);
}

function Wires({ drawing }: { drawing: Drawing }) {
  const qubits = drawing.qubits ?? [];
  const columns = drawing.columns ?? [];
  const margin = Math.max(...qubits.map((name) => name.length), 1) * CHARACTER + 14;
  let x = margin;
  const placed = columns.map((column) => {
    const width = Math.max(...column.flatMap((piece) => Object.values(piece.labels).map(widthOf)));
    const at = x + width / 2;
    x += width + PAD;
    return { column, at };
  });
  const [width, height] = [x + PAD, qubits.length * ROW + 4];
  const gates = columns.reduce((sum, column) => sum + column.length, 0);
  return (
    <div class="picture" tabIndex={0} role="group" aria-label="The circuit">
      <svg
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`A circuit of ${qubits.length} qubits and ${gates} pieces`}
      >
        {qubits.map((name, index) => (
          <g key={name}>
            <text class="wire-name" x={margin - 10} y={index * ROW + ROW / 2 + 4} text-anchor="end">
              {name}
            </text>
            <line
              class="wire"
              x1={margin - 4}
              x2={width}
              y1={index * ROW + ROW / 2}
              y2={index * ROW + ROW / 2}
            />
          </g>
        ))}
        {placed.flatMap(({ column, at }, index) =>
          column.map((piece, part) => <PieceOf key={`${index}.${part}`} piece={piece} at={at} />),
        )}
      </svg>
      {(drawing.phase || drawing.leftOut) && (
        <p class="muted small">
          {drawing.phase && `Global phase ${drawing.phase}. `}
          {drawing.leftOut && "The first 1,000 instructions are drawn."}
        </p>
      )}
    </div>
  );
}

function PieceOf({ piece, at }: { piece: Piece; at: number }) {
  const entries = Object.entries(piece.labels).map(([qubit, label]) => [Number(qubit), label] as const);
  const rows = entries.map(([qubit]) => qubit);
  const y = (row: number): number => row * ROW + ROW / 2;
  const [first, last] = [Math.min(...rows), Math.max(...rows)];
  const head = entries[0]?.[1] ?? "";
  if (/^[╟╫╢]/.test(head)) return <Bracket head={head} at={at} top={y(first)} bottom={y(last)} />;
  return (
    <g>
      {piece.joined && first !== last && <line class="join" x1={at} x2={at} y1={y(first)} y2={y(last)} />}
      {entries.map(([qubit, label]) => (
        <Label key={qubit} label={label} x={at} y={y(qubit)} />
      ))}
    </g>
  );
}

function Bracket({ head, at, top, bottom }: { head: string; at: number; top: number; bottom: number }) {
  const text = head.slice(1).replace(/:$/, "");
  const wide = widthOf(head);
  const x = text ? at - wide / 2 + 5 : at;
  const way = head.startsWith("╢") ? -5 : 5;
  return (
    <g class="bracket">
      <path d={`M${x + way} ${top - 17}H${x}V${bottom + 17}h${way}`} />
      {text && (
        <>
          <rect x={x + 6} y={top - 9} width={text.length * CHARACTER + 4} height={18} rx={3} />
          <text x={x + 8} y={top + 4}>
            {text}
          </text>
        </>
      )}
    </g>
  );
}

function Label({ label, x, y }: { label: string; x: number; y: number }) {
  if (label === "●") return <circle class="dot" cx={x} cy={y} r={5} />;
  if (label === "○") return <circle class="dot open" cx={x} cy={y} r={5} />;
  if (label === "·") return null;
  if (label === "×") return <path class="swap" d={`M${x - 6} ${y - 6}l12 12m0-12l-12 12`} />;
  if (label === "░") return <line class="barrier" x1={x} x2={x} y1={y - ROW / 2} y2={y + ROW / 2} />;
  const width = widthOf(label);
  const kind = label.startsWith("M→") ? "measure" : label.startsWith("|0⟩") ? "reset" : "";
  return (
    <g class={`gate ${kind}`}>
      <rect x={x - width / 2} y={y - BOX / 2} width={width} height={BOX} rx={5} />
      <text x={x} y={y + 4} text-anchor="middle">
        {label}
      </text>
    </g>
  );
}
