// The same by a program: what to copy.
import { useState } from "preact/hooks";
import type { Job, JobSpec } from "../api/types";
import { Choice, CopyButton } from "../common/parts";
import { curl, go, python, shell } from "./snippet-texts";

const LANGUAGES = [
  ["python", "Python"],
  ["shell", "Shell"],
  ["go", "Go"],
  ["curl", "curl"],
] as const;
type Language = (typeof LANGUAGES)[number][0];

const TEXTS: Record<Language, (id: string, job: Job, spec: JobSpec | undefined) => string> = {
  python,
  shell,
  go,
  curl,
};

export function Snippets({ id, job, spec }: { id: string; job: Job; spec: JobSpec | undefined }) {
  const [language, setLanguage] = useState<Language>("python");
  const text = TEXTS[language](id, job, spec);
  return (
    <section class="card">
      <div class="card-head">
        <h2>{spec ? "The same by a program" : "This job by a program"}</h2>
        <CopyButton text={text} />
      </div>
      <Choice label="Language" tabs={LANGUAGES} chosen={language} onChoose={setLanguage} />
      <pre class="code" tabIndex={0}>
        {text}
      </pre>
    </section>
  );
}
