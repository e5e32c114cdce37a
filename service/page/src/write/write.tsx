// Where circuits are written, checked while that is done, and run.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, Problem } from "../api/client";
import { type Draft, remember, saveDraft, savedDraft } from "../api/remembered";
import type { BackendInfo, Diagnostic, JobSpec, Program } from "../api/types";
import { bytes, plain } from "../common/format";
import { Choice, Notice } from "../common/parts";
import { newRequestId } from "../jobs/again";
import { go } from "../router";
import { type Checked, useCheck } from "./check";
import type { Editor } from "./editor";
import { EXAMPLES } from "./examples";
import { OptionsForm, optionsOf, runOptions } from "./options";
import { Picture } from "./picture";

const LANGUAGES = [
  ["openqasm3", "OpenQASM 3"],
  ["openqasm2", "OpenQASM 2"],
] as const;

const FIRST: Draft = { ...firstExample(), options: {}, labels: "" };

function firstExample(): Pick<Draft, "text" | "language" | "backendName"> {
  const { text, language, backendName } = EXAMPLES[0] ?? { text: "", language: "openqasm3", backendName: "" };
  return { text, language, backendName };
}

function labelsOf(text: string): Record<string, string> {
  const made: Record<string, string> = {};
  for (const each of text.split(",")) {
    const [key, ...value] = each.split("=");
    if (key?.trim()) made[key.trim()] = value.join("=").trim();
  }
  return made;
}

function specOf(draft: Draft, backend: BackendInfo | undefined): JobSpec {
  const known = new Set(backend ? optionsOf(backend).map(({ name }) => name) : []);
  const options = runOptions(
    Object.fromEntries(Object.entries(draft.options).filter(([name]) => known.has(name))),
  );
  const labels = labelsOf(draft.labels);
  return {
    backendName: draft.backendName,
    programs: [programOf(draft)],
    ...(Object.keys(options).length ? { options } : {}),
    ...(Object.keys(labels).length ? { labels } : {}),
  };
}

function programOf({ language, text }: Draft): Program {
  return language === "openqasm3" ? { openqasm3: text } : { openqasm2: text };
}

export function WriteView() {
  const [draft, setDraft] = useState<Draft>(() => savedDraft() ?? FIRST);
  const [backends, setBackends] = useState<BackendInfo[]>([]);
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  const editor = useRef<Editor | undefined>(undefined);
  const requestId = useRef("");
  const backend = backends.find(({ name }) => name === draft.backendName);
  const spec = specOf(draft, backend);
  const checked = useCheck(spec);

  useEffect(() => {
    document.title = "Write – BasicAer";
    api.backends().then(setBackends, (error: Problem) => setTrouble(error.message));
  }, []);
  useEffect(() => {
    saveDraft(draft);
    // The next job is another one.
    requestId.current = "";
  }, [draft]);
  useEffect(() => {
    if (checked.state !== "checking") editor.current?.show(checked.diagnostics.filter(({ line }) => line));
  }, [checked]);

  const change = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }));

  function onText(text: string): void {
    const version = /^\s*(?:\/\/.*\n\s*)*OPENQASM\s+([23])/.exec(text)?.[1];
    change({ text, ...(version ? { language: version === "2" ? "openqasm2" : "openqasm3" } : {}) });
  }

  function take(name: string): void {
    const example = EXAMPLES.find((each) => each.name === name);
    if (!example) return;
    const { text, language, backendName } = example;
    change({ text, language, backendName });
    editor.current?.setText(text);
  }

  async function run(): Promise<void> {
    setBusy(true);
    setTrouble("");
    // Pressed again after a call that was cut, it is the same job.
    requestId.current ||= newRequestId();
    try {
      const job = await api.submit(spec, requestId.current);
      remember(job.jobId, spec);
      go(`/jobs/${job.jobId}`);
    } catch (error) {
      setTrouble(error instanceof Problem ? error.message : String(error));
      setBusy(false);
    }
  }

  return (
    <>
      <div class="head">
        <h1>Write a circuit</h1>
        <div class="actions">
          <label class="field inline">
            <span>Example</span>
            <select value="" onChange={(event) => take(event.currentTarget.value)}>
              <option value="">choose …</option>
              {EXAMPLES.map(({ name }) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        </div>
      </div>
      <div class="columns write">
        <div class="stack">
          <section class="card editor-card" aria-label="Program">
            <div class="editor-bar">
              <Choice
                label="Language"
                tabs={LANGUAGES}
                chosen={draft.language}
                onChoose={(language) => change({ language })}
              />
              <Verdict checked={checked} />
            </div>
            <EditorBox draft={draft} editor={editor} onText={onText} />
            <Mistakes checked={checked} goTo={(line, column) => editor.current?.goTo(line, column)} />
          </section>
          <section class="card">
            <h2>Circuit</h2>
            <Picture program={programOf(draft)} />
          </section>
        </div>
        <form
          class="stack side"
          onSubmit={(event) => {
            event.preventDefault();
            void run();
          }}
        >
          <section class="card">
            <h2>Run it</h2>
            <div class="field">
              <label for="backend">Backend</label>
              <select
                id="backend"
                value={draft.backendName}
                aria-describedby="backend-hint"
                onChange={(event) => change({ backendName: event.currentTarget.value })}
              >
                {backends.map(({ name }) => (
                  <option key={name} value={name}>
                    {name}
                  </option>
                ))}
              </select>
              <span class="hint" id="backend-hint">
                {plain(backend?.description ?? "")}
              </span>
            </div>
            {backend && (
              <OptionsForm
                backend={backend}
                values={draft.options}
                onChange={(options) => change({ options })}
              />
            )}
            <div class="field">
              <label for="labels">Labels</label>
              <input
                id="labels"
                type="text"
                placeholder="experiment=bell, who=ada"
                value={draft.labels}
                onInput={(event) => change({ labels: event.currentTarget.value })}
              />
            </div>
            {checked.job && checked.state === "valid" && (
              <p class="muted small">It takes {bytes(checked.job.requiredBytes)} of memory.</p>
            )}
            {trouble && <Notice kind="bad">{trouble}</Notice>}
            <button type="submit" class="primary wide" disabled={busy || checked.state === "wrong"}>
              Run
            </button>
          </section>
        </form>
      </div>
    </>
  );
}

function EditorBox(props: {
  draft: Draft;
  editor: { current: Editor | undefined };
  onText: (text: string) => void;
}) {
  const { draft, editor, onText } = props;
  const box = useRef<HTMLDivElement>(null);
  const latest = useRef(onText);
  latest.current = onText;
  useEffect(() => {
    let gone = false;
    void import("./editor").then(({ openEditor }) => {
      if (gone || !box.current) return;
      editor.current = openEditor(box.current, draft.text, (text) => latest.current(text));
    });
    return () => {
      gone = true;
      editor.current?.close();
      editor.current = undefined;
    };
  }, []);
  return <div class="editor" ref={box} />;
}

function Verdict({ checked }: { checked: Checked }) {
  const said = {
    checking: "checking …",
    valid: "valid",
    wrong: `${checked.diagnostics.length || 1} to mend`,
    unknown: "not checked",
  }[checked.state];
  return (
    <span class={`verdict verdict-${checked.state}`} role="status">
      {said}
    </span>
  );
}

function Mistakes({ checked, goTo }: { checked: Checked; goTo: (line: number, column: number) => void }) {
  if (checked.state === "unknown") return <Notice>{checked.message}</Notice>;
  const found: Diagnostic[] = checked.diagnostics;
  if (!found.length) {
    return checked.message ? <Notice kind="bad">{checked.message}</Notice> : null;
  }
  return (
    <ul class="mistakes">
      {found.slice(0, 20).map((each) => (
        <li key={`${each.line}.${each.column}.${each.message}`}>
          <button type="button" class="quiet" onClick={() => goTo(each.line ?? 1, each.column ?? 1)}>
            <span class="number place">
              {each.line}:{each.column}
            </span>
            <span>
              {each.message}
              {each.hint && <span class="muted">; {each.hint}</span>}
              {each.expected && <span class="muted">; expected {each.expected}</span>}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
