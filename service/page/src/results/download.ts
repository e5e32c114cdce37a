// A whole result as a file.
import type { ProgramResult, Result } from "../api/types";
import { load } from "./data";
import { type Member, npz, save, unsigned } from "./files";

export function saveResult(result: Result): void {
  save(`${result.jobId}.json`, `${JSON.stringify(result, null, 2)}\n`, "application/json");
}

/** Saves all arrays and counts; with several entries, each has its number before its names. */
export async function saveNpz(result: Result, id: string): Promise<void> {
  const entries = result.programs ?? [];
  const members: Member[] = [];
  for (const [index, entry] of entries.entries()) {
    const before = entries.length > 1 ? `${index}/` : "";
    members.push(...countsOf(entry, before));
    for (const array of entry.arrays ?? []) {
      const { bytes, shape } = await load(id, array);
      members.push({ name: before + array.name, dtype: array.dtype, shape, bytes });
    }
  }
  save(`${id}.npz`, npz(members), "application/zip");
}

function countsOf(entry: ProgramResult, before: string): Member[] {
  const { outcomes = [], counts = [], wordsPerOutcome = 1 } = entry.counts ?? {};
  if (!counts.length) return [];
  const shape = wordsPerOutcome > 1 ? [counts.length, wordsPerOutcome] : [counts.length];
  return [
    { name: `${before}outcomes`, dtype: "<u8", shape, bytes: unsigned(outcomes) },
    { name: `${before}counts`, dtype: "<u8", shape: [counts.length], bytes: unsigned(counts) },
  ];
}
