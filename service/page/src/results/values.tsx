// An array that has no picture of its own.
import { bytes, number } from "../common/format";
import type { Loaded } from "./data";
import { Rows } from "./rows";

export function Values({ loaded }: { loaded: Loaded }) {
  const { array, values, complex, shape } = loaded;
  const length = complex ? values.length / 2 : values.length;
  const text = (index: number): string => {
    if (!complex)
      return typeof values[index] === "bigint" ? String(values[index]) : number(Number(values[index]));
    const imaginary = Number(values[2 * index + 1]);
    return `${number(Number(values[2 * index]))} ${imaginary < 0 ? "−" : "+"} ${number(Math.abs(imaginary))}i`;
  };
  const place = (index: number): string => {
    const parts: number[] = [];
    let rest = index;
    for (const size of [...shape].reverse()) {
      parts.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    return parts.join(", ");
  };
  return (
    <section class="card">
      <div class="card-head">
        <h2>{array.name}</h2>
        <span class="muted small">
          {shape.join(" × ") || "a number"}, {bytes(loaded.bytes.byteLength)}
        </span>
      </div>
      {length === 1 ? (
        <p class="big number">{text(0)}</p>
      ) : (
        <Rows
          label={`Values of ${array.name}`}
          count={length}
          columns={[
            { name: "Index", kind: "rows-name" },
            { name: "Value", kind: "rows-number" },
          ]}
          cells={(row) => [place(row), text(row)]}
        />
      )}
    </section>
  );
}
