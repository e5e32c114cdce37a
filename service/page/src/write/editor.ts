// The editor: CodeMirror with the colours of OpenQASM, and the server's diagnostics in it. Loaded when it is needed.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  bracketMatching,
  HighlightStyle,
  indentUnit,
  StreamLanguage,
  syntaxHighlighting,
} from "@codemirror/language";
import { lintGutter, lintKeymap, type Diagnostic as Shown, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Diagnostic } from "../api/types";
import { openqasm } from "./language";

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
  { tag: tags.typeName, color: "var(--code-type)" },
  { tag: tags.function(tags.variableName), color: "var(--code-gate)" },
  { tag: tags.number, color: "var(--code-number)" },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
]);

const LOOK = EditorView.theme({
  "&": { backgroundColor: "var(--surface)", color: "var(--text)", fontSize: "14px", height: "100%" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { caretColor: "var(--text)", padding: "10px 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--selection)",
  },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--text)", borderColor: "var(--line)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
});

export interface Editor {
  text(): string;
  setText(text: string): void;
  show(diagnostics: readonly Diagnostic[]): void;
  goTo(line: number, column: number): void;
  close(): void;
}

function placed(state: EditorState, diagnostic: Diagnostic): Shown {
  const line = state.doc.line(Math.min(Math.max(diagnostic.line ?? 1, 1), state.doc.lines));
  const from = Math.min(line.from + Math.max((diagnostic.column ?? 1) - 1, 0), line.to);
  const to = diagnostic.endColumn ? line.from + diagnostic.endColumn - 1 : from + 1;
  return {
    from,
    to: Math.min(Math.max(to, from), line.to),
    severity: diagnostic.severity === "SEVERITY_WARNING" ? "warning" : "error",
    message: diagnostic.message + (diagnostic.hint ? ` – ${diagnostic.hint}` : ""),
  };
}

export function openEditor(parent: HTMLElement, text: string, onChange: (text: string) => void): Editor {
  const nonce = document.querySelector<HTMLMetaElement>("meta[name=nonce]")?.content ?? "";
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        EditorView.cspNonce.of(nonce),
        lineNumbers(),
        highlightActiveLineGutter(),
        highlightActiveLine(),
        drawSelection(),
        history(),
        bracketMatching(),
        indentUnit.of("  "),
        StreamLanguage.define(openqasm),
        syntaxHighlighting(COLOURS),
        lintGutter(),
        LOOK,
        EditorView.contentAttributes.of({ "aria-label": "Program", tabindex: "0" }),
        // Escape, then Tab leaves the editor, as CodeMirror has it.
        keymap.of([...defaultKeymap, ...historyKeymap, ...lintKeymap, indentWithTab]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    setText: (changed) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: changed } }),
    show: (diagnostics) => {
      const shown = diagnostics.map((each) => placed(view.state, each));
      view.dispatch(setDiagnostics(view.state, shown));
    },
    goTo: (line, column) => {
      const at = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
      const place = Math.min(at.from + Math.max(column - 1, 0), at.to);
      view.dispatch({ selection: { anchor: place }, scrollIntoView: true });
      view.focus();
    },
    close: () => view.destroy(),
  };
}
