/** The typed values that a program's outcomes hold, read from their bits. */
import { ClassicalKind, type ClassicalType } from "./gen/basicaer/v1/circuit_pb.js";
import type { ProgramResult } from "./gen/basicaer/v1/result_pb.js";

/** Real and imaginary part. */
export type Complex = readonly [number, number];

/**
 * What an output holds: a string of bits, the last one first, for bit and bit[n]; an integer of any size; a number (of
 * an angle, radians); an array of these along each axis.
 */
export type Value = string | boolean | bigint | number | Complex | Value[];

/** What a program's outputs held, by their names, in some of its shots. */
export interface Outcome {
  values: Map<string, Value>;
  count: number;
}

/** The values of a program's typed outputs, with how often they were seen together. Floats of 16 bits are not read. */
export function outputs(program: ProgramResult): Outcome[] {
  const { wordsPerOutcome = 1, outcomes = [], counts = [] } = program.counts ?? {};
  return counts.map((count, index) => {
    const words = outcomes.slice(index * wordsPerOutcome, (index + 1) * wordsPerOutcome);
    const bits = words.reduceRight((value, word) => (value << 64n) | word, 0n);
    const values = new Map<string, Value>();
    for (const { name, type, shape, clbit } of program.header?.outputs ?? []) {
      if (!type) throw new Error(`output ${name} has no type`);
      values.set(name, new Reader(bits, clbit).array(type, shape));
    }
    return { values, count: Number(count) };
  });
}

class Reader {
  readonly #bits: bigint;
  #at: number;

  constructor(bits: bigint, at: number) {
    this.#bits = bits;
    this.#at = at;
  }

  array(type: ClassicalType, [length, ...inner]: number[]): Value {
    if (length === undefined) return this.#scalar(type);
    return Array.from({ length }, () => this.array(type, inner));
  }

  #scalar({ kind, width }: ClassicalType): Value {
    const size = width || 64;
    switch (kind) {
      case ClassicalKind.BIT:
        return this.#take(width || 1)
          .toString(2)
          .padStart(width || 1, "0");
      case ClassicalKind.BOOL:
        return this.#take(1) === 1n;
      case ClassicalKind.UINT:
        return this.#take(size);
      case ClassicalKind.INT:
        return BigInt.asIntN(size, this.#take(size));
      case ClassicalKind.ANGLE:
        return (Number(this.#take(size)) / 2 ** size) * 2 * Math.PI;
      case ClassicalKind.FLOAT:
        return this.#float(size);
      case ClassicalKind.COMPLEX:
        return [this.#float(size), this.#float(size)];
      default:
        throw new Error(`the type ${kind} is newer than this client`);
    }
  }

  #float(size: number): number {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, this.#take(size));
    if (size === 64) return view.getFloat64(0);
    if (size === 32) return view.getFloat32(4);
    throw new Error(`a float has ${size} bits`);
  }

  /** Reads bits as an integer and moves behind them. */
  #take(size: number): bigint {
    const value = BigInt.asUintN(size, this.#bits >> BigInt(this.#at));
    this.#at += size;
    return value;
  }
}
