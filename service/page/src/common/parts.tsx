// Small things that several views are made of.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Job, Progress } from "../api/types";
import { count, words } from "./format";

export function Status({ status }: { status: string }) {
  const word = words(status, "JOB_STATUS_");
  return <span class={`status status-${word}`}>{word}</span>;
}

export function ProgressBar({ progress, label }: { progress: Progress; label: string }) {
  const part = Math.min(1, Math.max(0, progress.fraction ?? 0));
  return (
    <span class="progress">
      <progress max={1} value={part} aria-label={label} />
      <span class="number">{Math.floor(part * 100)} %</span>
    </span>
  );
}

export function Labels({ labels }: { labels: Job["labels"] }) {
  if (!labels || !Object.keys(labels).length) return null;
  return (
    <span class="labels">
      {Object.entries(labels).map(([key, value]) => (
        <span class="label" key={key}>
          <span class="label-key">{key}</span>
          {value}
        </span>
      ))}
    </span>
  );
}

/** Whose something is: a name, and by what it was proved. */
export function Who({ principal }: { principal: string }) {
  const [, kind, name] = /^(\w+:)?(.*)$/s.exec(principal) ?? [];
  return (
    <span class="who-name">
      <span class="muted">{kind}</span>
      {name}
    </span>
  );
}

export function Notice({ kind = "info", children }: { kind?: "info" | "bad"; children: ComponentChildren }) {
  return (
    <p class={`notice notice-${kind}`} role={kind === "bad" ? "alert" : "status"}>
      {children}
    </p>
  );
}

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(text);
    setDone(true);
    window.setTimeout(() => setDone(false), 1500);
  }
  return (
    <button type="button" class="quiet" onClick={() => void copy()}>
      {done ? "Copied" : label}
    </button>
  );
}

interface TabsProps<K extends string> {
  label: string;
  tabs: readonly (readonly [K, string])[];
  chosen: K;
  onChoose: (key: K) => void;
}

/** A row of which one is chosen; arrows go along it. */
export function Choice<K extends string>({ label, tabs, chosen, onChoose }: TabsProps<K>) {
  return (
    <fieldset class="choice">
      <legend class="hidden">{label}</legend>
      {tabs.map(([key, text]) => (
        <label key={key} class={key === chosen ? "chosen" : ""}>
          <input type="radio" name={label} checked={key === chosen} onChange={() => onChoose(key)} />
          {text}
        </label>
      ))}
    </fieldset>
  );
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function plural(value: number | string, word: string): string {
  return `${count(value)} ${word}${Number(value) === 1 ? "" : "s"}`;
}
