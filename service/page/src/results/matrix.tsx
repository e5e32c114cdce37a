// A matrix of complex numbers as a picture: the colour is the phase, its strength the magnitude.
import { useEffect, useRef, useState } from "preact/hooks";
import { number } from "../common/format";
import { useDark } from "../common/hooks";
import { PhaseKey } from "./amplitudes";
import type { Loaded } from "./data";
import { csv, save } from "./files";
import { basisState, phaseColour } from "./quantum";

const SIDE = 384;
// Beyond it, cells would be smaller than pixels: each is then the strongest of several.
const MOST = 384;

interface Cell {
  row: number;
  column: number;
}

export function Matrix({ loaded, title, name }: { loaded: Loaded; title: string; name: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = useDark();
  const [cell, setCell] = useState<Cell>({ row: 0, column: 0 });
  const size = loaded.shape[0] ?? 1;
  const qubits = Math.round(Math.log2(size));
  const re = (row: number, column: number): number => Number(loaded.values[2 * (row * size + column)]);
  const im = (row: number, column: number): number => Number(loaded.values[2 * (row * size + column) + 1]);
  useEffect(() => {
    if (canvas.current) paint(canvas.current, loaded, dark);
  }, [loaded, dark]);

  function onMove(event: PointerEvent): void {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const place = (part: number): number => Math.min(size - 1, Math.max(0, Math.floor(part * size)));
    setCell({
      row: place((event.clientY - box.top) / box.height),
      column: place((event.clientX - box.left) / box.width),
    });
  }
  function onKey(event: KeyboardEvent): void {
    const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    const move = (at: number, by = 0): number => Math.min(size - 1, Math.max(0, at + by));
    setCell({ row: move(cell.row, way[0]), column: move(cell.column, way[1]) });
  }
  function* table() {
    for (let row = 0; row < size; row += 1)
      for (let column = 0; column < size; column += 1)
        yield [basisState(row, qubits), basisState(column, qubits), re(row, column), im(row, column)];
  }
  const head = ["row", "column", "real", "imaginary"];
  const [real, imaginary] = [re(cell.row, cell.column), im(cell.row, cell.column)];
  return (
    <section class="card">
      <div class="card-head">
        <h2>{title}</h2>
        <PhaseKey />
        <span class="downloads">
          {size <= 1024 && (
            <button
              type="button"
              class="quiet"
              onClick={() => save(`${name}.csv`, csv(head, table()), "text/csv")}
            >
              CSV
            </button>
          )}
          <button
            type="button"
            class="quiet"
            onClick={() =>
              canvas.current && save(`${name}.svg`, svgOf(canvas.current, title), "image/svg+xml")
            }
          >
            SVG
          </button>
        </span>
      </div>
      <div class="matrix">
        <div
          class="matrix-box"
          tabIndex={0}
          role="group"
          aria-label={`${title}: arrow keys go from cell to cell`}
          onKeyDown={onKey}
        >
          <canvas
            ref={canvas}
            role="img"
            aria-label={`${title}, ${size} by ${size}`}
            onPointerMove={onMove}
          />
        </div>
        <p class="matrix-cell" aria-live="polite">
          <code>
            ⟨{basisState(cell.row, qubits)}|·|{basisState(cell.column, qubits)}⟩
          </code>
          <span class="number">
            {number(real)} {imaginary < 0 ? "−" : "+"} {number(Math.abs(imaginary))}i
          </span>
          <span class="muted small number">magnitude {number(Math.hypot(real, imaginary))}</span>
        </p>
      </div>
    </section>
  );
}

function strongest(
  loaded: Loaded,
  size: number,
  shown: number,
  row: number,
  column: number,
): [number, number] {
  const each = size / shown;
  let best: [number, number] = [0, 0];
  let most = -1;
  for (let y = Math.floor(row * each); y < Math.floor((row + 1) * each); y += 1) {
    for (let x = Math.floor(column * each); x < Math.floor((column + 1) * each); x += 1) {
      const re = Number(loaded.values[2 * (y * size + x)]);
      const im = Number(loaded.values[2 * (y * size + x) + 1]);
      const weight = re * re + im * im;
      if (weight > most) [most, best] = [weight, [re, im]];
    }
  }
  return best;
}

function paint(canvas: HTMLCanvasElement, loaded: Loaded, dark: boolean): void {
  const size = loaded.shape[0] ?? 1;
  const shown = Math.min(size, MOST);
  const side = Math.max(1, Math.floor(SIDE / shown)) * shown;
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext("2d");
  if (!context) return;
  const cells: [number, number][] = [];
  let most = 1e-300;
  for (let row = 0; row < shown; row += 1) {
    for (let column = 0; column < shown; column += 1) {
      const found = strongest(loaded, size, shown, row, column);
      most = Math.max(most, Math.hypot(...found));
      cells.push(found);
    }
  }
  const step = side / shown;
  const gap = step > 12 ? 1 : 0;
  for (const [index, [re, im]] of cells.entries()) {
    const strength = Math.hypot(re, im) / most;
    const light = dark ? 14 + 46 * strength : 97 - 45 * strength;
    context.fillStyle =
      strength < 1e-12 ? (dark ? "#20242e" : "#f3f4f7") : phaseColour(Math.atan2(im, re), light);
    const [x, y] = [(index % shown) * step, Math.floor(index / shown) * step];
    context.fillRect(x, y, step - gap, step - gap);
  }
}

function svgOf(canvas: HTMLCanvasElement, title: string): string {
  const { width, height } = canvas;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"><title>${title}</title><image width="${width}" height="${height}" href="${canvas.toDataURL("image/png")}"/></svg>\n`;
}
