// Counts as a histogram and a table, in any order, however many outcomes there are.
import { useMemo, useState } from "preact/hooks";
import type { ProgramResult } from "../api/types";
import { count } from "../common/format";
import { plural } from "../common/parts";
import { Bars, barsSvg } from "./bars";
import { Counts } from "./data";
import { csv, save } from "./files";
import { Rows } from "./rows";

interface Order {
  by: "outcome" | "count";
  down: boolean;
}

export function CountsView({ entry, name }: { entry: ProgramResult; name: string }) {
  const counts = useMemo(() => new Counts(entry), [entry]);
  const [order, setOrder] = useState<Order>({ by: "count", down: true });
  const places = useMemo(() => counts.order(order.by, order.down), [counts, order]);
  const most = useMemo(() => counts.counts.reduce((best, each) => Math.max(best, each), 1), [counts]);
  const at = (row: number): number => places[row] ?? 0;
  const bars = useMemo(
    () => ({
      count: places.length,
      value: (row: number) => counts.counts[places[row] ?? 0] ?? 0,
      name: (row: number) => counts.label(places[row] ?? 0),
      label: `Counts of ${plural(counts.length, "outcome")} in ${plural(counts.total, "shot")}`,
    }),
    [counts, places],
  );

  function sort(by: Order["by"]) {
    const now = order.by !== by ? "none" : order.down ? "descending" : "ascending";
    const press = (): void => setOrder({ by, down: order.by === by ? !order.down : by === "count" });
    return { press, now } as const;
  }
  function* table() {
    for (const place of places) yield [counts.label(place), counts.counts[place] ?? 0];
  }

  return (
    <section class="card">
      <div class="card-head">
        <h2>Counts</h2>
        <span class="muted small">
          {plural(counts.length, "outcome")} in {plural(counts.total, "shot")}
        </span>
        <span class="downloads">
          <button
            type="button"
            class="quiet"
            onClick={() => save(`${name}-counts.csv`, csv(["outcome", "count"], table()), "text/csv")}
          >
            CSV
          </button>
          <button
            type="button"
            class="quiet"
            onClick={() => save(`${name}-counts.svg`, barsSvg(bars), "image/svg+xml")}
          >
            SVG
          </button>
        </span>
      </div>
      <Bars {...bars} />
      <Rows
        label="Counts by outcome"
        count={places.length}
        columns={[
          { name: "Outcome", kind: "rows-name", sort: sort("outcome") },
          { name: "Count", kind: "rows-number", sort: sort("count") },
          { name: "Share", kind: "rows-bar" },
        ]}
        cells={(row) => {
          const seen = counts.counts[at(row)] ?? 0;
          return [
            <code key="outcome">{counts.label(at(row))}</code>,
            count(seen),
            <Share key="share" part={seen / counts.total} bar={seen / most} />,
          ];
        }}
      />
    </section>
  );
}

function Share({ part, bar }: { part: number; bar: number }) {
  return (
    <>
      <span class="bar" style={{ width: `${(bar * 100).toFixed(2)}%` }} />
      <span class="share number">
        {part < 0.01 ? (part * 100).toPrecision(2) : (part * 100).toFixed(1)} %
      </span>
    </>
  );
}
