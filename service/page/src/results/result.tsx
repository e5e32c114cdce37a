// What came out of a job.
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, Problem } from "../api/client";
import type { ProgramResult, Result, ResultArray } from "../api/types";
import { bytes, number, seconds, words } from "../common/format";
import { Fact, Notice, plural } from "../common/parts";
import { Amplitudes } from "./amplitudes";
import { BlochSpheres } from "./bloch";
import { CountsView } from "./counts";
import { type Curve, Curves } from "./curves";
import { AT_ONCE, type Loaded, load, shapeOf } from "./data";
import { saveNpz, saveResult } from "./download";
import { Matrix } from "./matrix";
import { blochOfMatrix, blochOfState } from "./quantum";
import { Values } from "./values";

export function ResultView({ id }: { id: string }) {
  const [result, setResult] = useState<Result>();
  const [trouble, setTrouble] = useState("");
  const [chosen, setChosen] = useState(0);
  useEffect(() => {
    let gone = false;
    api.result(id).then(
      (found) => !gone && setResult(found),
      (error: Problem) => !gone && setTrouble(error.message),
    );
    return () => {
      gone = true;
    };
  }, [id]);
  if (trouble) return <Notice kind="bad">{trouble}</Notice>;
  if (!result) return <p class="muted">Reading the result …</p>;
  const entries = result.programs ?? [];
  const entry = entries[chosen];
  return (
    <>
      <section class="card">
        <div class="card-head">
          <h2>Result</h2>
          <Downloads result={result} id={id} />
        </div>
        {entries.length > 1 && (
          <div class="field inline">
            <label for="entry">Shown</label>
            <select
              id="entry"
              value={chosen}
              onChange={(event) => setChosen(Number(event.currentTarget.value))}
            >
              {entries.map((each, index) => (
                <option key={`${each.programIndex}.${each.row}`} value={index}>
                  {each.header?.name || `program ${each.programIndex ?? 0}`}, row {each.row ?? 0}
                </option>
              ))}
            </select>
          </div>
        )}
        {entry && <How entry={entry} />}
      </section>
      <Sweep entries={entries} />
      {entry && <Entry key={chosen} id={id} entry={entry} />}
    </>
  );
}

function Downloads({ result, id }: { result: Result; id: string }) {
  const [trouble, setTrouble] = useState("");
  return (
    <span class="downloads">
      {trouble && <span class="bad small">{trouble}</span>}
      <span class="muted small">Download</span>
      <button type="button" class="quiet" onClick={() => saveResult(result)}>
        JSON
      </button>
      <button
        type="button"
        class="quiet"
        onClick={() => {
          setTrouble("");
          saveNpz(result, id).catch((error: unknown) =>
            setTrouble(error instanceof Problem ? error.message : String(error)),
          );
        }}
      >
        npz
      </button>
    </span>
  );
}

function How({ entry }: { entry: ProgramResult }) {
  const cut = entry.matrixProductState;
  return (
    <dl class="facts across">
      {entry.simulationMethod && (
        <Fact name="Method">{words(entry.simulationMethod, "SIMULATION_METHOD_")}</Fact>
      )}
      {entry.reason && <Fact name="Why this one">{entry.reason}</Fact>}
      <Fact name="Took">{seconds(entry.timeTaken ?? 0)}</Fact>
      {entry.seedSimulator && <Fact name="Seed">{entry.seedSimulator}</Fact>}
      {cut && (
        <Fact name="Estimated fidelity">
          {number(cut.estimatedFidelity ?? 1, 6)}, bonds to {cut.largestBond ?? 1}
        </Fact>
      )}
    </dl>
  );
}

function Entry({ id, entry }: { id: string; entry: ProgramResult }) {
  const arrays = entry.arrays ?? [];
  const seen = (entry.counts?.counts?.length ?? 0) > 0;
  if (entry.error) return <Notice kind="bad">{entry.error.message}</Notice>;
  if (!seen && !arrays.length) {
    return (
      <Notice>It measures nothing and saves nothing, so there is nothing to show. Add a measurement.</Notice>
    );
  }
  return (
    <>
      {seen && <CountsView entry={entry} name={id.slice(0, 12)} />}
      {arrays.map((array) => (
        <ArrayView key={array.part} id={id} array={array} />
      ))}
    </>
  );
}

function ArrayView({ id, array }: { id: string; array: ResultArray }) {
  const [loaded, setLoaded] = useState<Loaded>();
  const [trouble, setTrouble] = useState("");
  const [wanted, setWanted] = useState(Number(array.sizeBytes ?? 0) <= AT_ONCE);
  useEffect(() => {
    if (!wanted) return undefined;
    let gone = false;
    load(id, array).then(
      (found) => !gone && setLoaded(found),
      (error: Problem) => !gone && setTrouble(error.message),
    );
    return () => {
      gone = true;
    };
  }, [id, array, wanted]);
  if (trouble) return <Notice kind="bad">{trouble}</Notice>;
  if (loaded) return <Shown loaded={loaded} name={`${id.slice(0, 12)}-${array.name}`} />;
  return (
    <section class="card">
      <h2>{array.name}</h2>
      {wanted ? (
        <p class="muted">Reading {bytes(array.sizeBytes)} …</p>
      ) : (
        <p>
          {shapeOf(array).join(" × ")}, {bytes(array.sizeBytes)}.{" "}
          <button type="button" onClick={() => setWanted(true)}>
            Show it
          </button>{" "}
          <a href={`/v1/jobs/${id}/result/${array.part}.npy`} download>
            Download it for NumPy
          </a>
        </p>
      )}
    </section>
  );
}

function Shown({ loaded, name }: { loaded: Loaded; name: string }) {
  const { shape, complex, array } = loaded;
  const [rows = 0, columns = 0] = shape;
  const vectors = useMemo(() => {
    if (!complex || array.perShot) return undefined;
    if (shape.length === 1 && rows > 1 && isPower(rows)) return blochOfState(loaded.values, rows);
    if (isDensity(array) && rows === columns) return blochOfMatrix(loaded.values, rows);
    return undefined;
  }, [loaded, complex, array, shape, rows, columns]);
  if (complex && shape.length === 1 && isPower(rows)) {
    return (
      <>
        <Amplitudes loaded={loaded} name={name} />
        {vectors && <BlochSpheres vectors={vectors} name={name} />}
      </>
    );
  }
  if (complex && shape.length === 2 && rows === columns && isPower(rows)) {
    const title = isDensity(array)
      ? "Density matrix"
      : array.name.replace(/^./, (first) => first.toUpperCase());
    return (
      <>
        <Matrix loaded={loaded} title={title} name={name} />
        {vectors && <BlochSpheres vectors={vectors} name={name} />}
      </>
    );
  }
  if (!complex && array.name === "expectation_values" && rows > 1) {
    return <Curves curves={curvesOf(loaded)} title="Expectation values" name={name} />;
  }
  return <Values loaded={loaded} />;
}

const isPower = (value: number): boolean => value > 0 && Number.isInteger(Math.log2(value));
const isDensity = (array: ResultArray): boolean =>
  array.kind === "density_matrix" || array.name.startsWith("density_matrix");

/** A curve for each observable, along the rows. */
function curvesOf({ values, shape }: Loaded): Curve[] {
  const [rows = 0, observables = 1] = shape;
  return Array.from({ length: observables }, (_, observable) => ({
    name: `observable ${observable}`,
    values: Array.from({ length: rows }, (_, row) => Number(values[row * observables + observable])),
  }));
}

/** What each row of a sweep has saved as a single number. */
function Sweep({ entries }: { entries: ProgramResult[] }) {
  const [curves, setCurves] = useState<Curve[]>([]);
  useEffect(() => {
    let gone = false;
    void sweepOf(entries).then((found) => !gone && setCurves(found));
    return () => {
      gone = true;
    };
  }, [entries]);
  if (!curves.length) return null;
  return <Curves curves={curves} title={`Over ${plural(entries.length, "row")}`} name="sweep" />;
}

async function sweepOf(entries: ProgramResult[]): Promise<Curve[]> {
  const found = new Map<string, number[]>();
  for (const entry of entries) {
    for (const array of entry.arrays ?? []) {
      if (!array.data || array.dtype !== "<f8" || array.perShot) continue;
      const { values } = await load("", array);
      if (values.length !== 1) continue;
      const name = entry.programIndex ? `${array.name} of program ${entry.programIndex}` : array.name;
      found.set(name, [...(found.get(name) ?? []), Number(values[0])]);
    }
  }
  return [...found].map(([name, values]) => ({ name, values })).filter(({ values }) => values.length > 1);
}
