// What a result holds, as numbers.
import { api } from "../api/client";
import type { ProgramResult, ResultArray } from "../api/types";

export type Numbers = Float64Array | Float32Array | BigUint64Array | Uint8Array;

export interface Loaded {
  array: ResultArray;
  shape: number[];
  complex: boolean;
  bytes: ArrayBuffer;
  /** Real and imaginary parts in turn, when it is complex. */
  values: Numbers;
}

/** What the page reads by itself; more is read when somebody asks for it. */
export const AT_ONCE = 32 * 1024 * 1024;

export function shapeOf(array: ResultArray): number[] {
  return (array.shape ?? []).map(Number);
}

function decoded(base64: string): ArrayBuffer {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes.buffer;
}

function numbers(dtype: string, bytes: ArrayBuffer): Numbers {
  switch (dtype) {
    case "<c16":
    case "<f8":
      return new Float64Array(bytes);
    case "<c8":
    case "<f4":
      return new Float32Array(bytes);
    case "<u8":
    case "<i8":
      return new BigUint64Array(bytes);
    default:
      return new Uint8Array(bytes);
  }
}

export async function load(jobId: string, array: ResultArray): Promise<Loaded> {
  const bytes = array.data ? decoded(array.data) : await api.part(jobId, array.part);
  return {
    array,
    shape: shapeOf(array),
    complex: array.dtype.startsWith("<c"),
    bytes,
    values: numbers(array.dtype, bytes),
  };
}

/** Outcomes and how often each was seen, in the result's own order. */
export class Counts {
  readonly total: number;
  readonly counts: Float64Array;
  readonly words: number;
  readonly #outcomes: string[];
  readonly #bits: number;
  readonly #cuts: number[];

  constructor(entry: ProgramResult) {
    this.words = entry.counts?.wordsPerOutcome ?? 1;
    this.#outcomes = entry.counts?.outcomes ?? [];
    this.counts = Float64Array.from(entry.counts?.counts ?? [], Number);
    this.total = this.counts.reduce((sum, each) => sum + each, 0);
    this.#bits = Math.max(entry.header?.numClbits ?? 1, 1);
    this.#cuts = cuts(entry);
  }

  get length(): number {
    return this.counts.length;
  }

  word(index: number, word: number): string {
    return this.#outcomes[index * this.words + word] ?? "0";
  }

  /** The outcome as Qiskit writes it: the last classical bit first, a space between registers. */
  label(index: number): string {
    let value = 0n;
    for (let word = this.words - 1; word >= 0; word -= 1)
      value = (value << 64n) | BigInt(this.word(index, word));
    const bits = value.toString(2).padStart(this.#bits, "0");
    const parts: string[] = [];
    let end = bits.length;
    for (const size of this.#cuts) {
      parts.unshift(bits.slice(end - size, end));
      end -= size;
    }
    if (end > 0) parts.unshift(bits.slice(0, end));
    return parts.join(" ");
  }

  /** The places of the outcomes in an order. */
  order(by: "outcome" | "count", down: boolean): Uint32Array {
    const places = Uint32Array.from(this.counts, (_, index) => index);
    const compare =
      by === "count"
        ? (a: number, b: number): number =>
            (this.counts[a] ?? 0) - (this.counts[b] ?? 0) || this.#compare(b, a)
        : (a: number, b: number): number => this.#compare(a, b);
    places.sort((a, b) => (down ? compare(b, a) : compare(a, b)));
    return places;
  }

  #compare(a: number, b: number): number {
    for (let word = this.words - 1; word >= 0; word -= 1) {
      const [left, right] = [this.word(a, word), this.word(b, word)];
      if (left === right) continue;
      // Decimal digits without zeros before them: the longer is the greater.
      return left.length - right.length || (left < right ? -1 : 1);
    }
    return 0;
  }
}

/** The sizes of the classical registers, if one follows the other and they hold all bits. */
function cuts(entry: ProgramResult): number[] {
  const registers = entry.header?.classicalRegisters ?? [];
  const bits = entry.header?.numClbits ?? 0;
  const simple = registers.every(({ bits: own }) => !own?.length);
  const sum = registers.reduce((total, { size }) => total + size, 0);
  return simple && registers.length > 1 && sum === bits ? registers.map(({ size }) => size) : [];
}
