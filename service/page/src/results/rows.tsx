// A table of any length: only the rows that are seen are there.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

const ROW = 28;
const SEEN = 14;
const SPARE = 6;
// Browsers can't scroll through more pixels than some thirty millions.
const MOST = 1_000_000;

export interface Column {
  name: string;
  kind: string;
  /** What a press on its name does, and how the rows are in its order now. */
  sort?: { press: () => void; now: "ascending" | "descending" | "none" };
}

interface Props {
  label: string;
  columns: readonly Column[];
  count: number;
  cells: (row: number) => readonly ComponentChildren[];
}

export function Rows({ label, columns, count, cells }: Props) {
  const [top, setTop] = useState(0);
  const length = Math.min(count, MOST);
  const first = Math.max(0, Math.floor(top / ROW) - SPARE);
  const last = Math.min(length, first + SEEN + 2 * SPARE);
  const seen = Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index);
  return (
    <div class="rows" role="table" aria-label={label} aria-rowcount={length + 1}>
      <div class="rows-head" role="row" aria-rowindex={1}>
        {columns.map((column) => (
          <Heading key={column.name} column={column} />
        ))}
      </div>
      <div
        class="rows-body"
        role="rowgroup"
        tabIndex={0}
        style={{ height: `${Math.min(length, SEEN) * ROW + 2}px` }}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      >
        <div class="rows-space" role="presentation" style={{ height: `${length * ROW}px` }}>
          {seen.map((row) => (
            <div
              class="rows-row"
              role="row"
              key={row}
              aria-rowindex={row + 2}
              style={{ transform: `translateY(${row * ROW}px)` }}
            >
              {cells(row).map((cell, index) => (
                <div class={columns[index]?.kind ?? ""} role="cell" key={columns[index]?.name}>
                  {cell}
                </div>
              ))}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}

function Heading({ column }: { column: Column }) {
  const { name, kind, sort } = column;
  return (
    <div class={kind} role="columnheader" aria-sort={sort?.now}>
      {sort ? (
        <button type="button" class="quiet sort" onClick={sort.press}>
          {name}
          <span aria-hidden="true">{{ ascending: "↑", descending: "↓", none: "" }[sort.now]}</span>
        </button>
      ) : (
        name
      )}
    </div>
  );
}
