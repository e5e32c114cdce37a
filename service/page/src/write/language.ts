// The words of OpenQASM 2 and 3, for their colours.
import type { StreamParser, StringStream } from "@codemirror/language";

const KEYWORDS = new Set(
  "OPENQASM include if else for while switch case default break continue end return def defcal gate opaque extern box let in measure reset barrier delay ctrl negctrl inv pow input output const".split(
    " ",
  ),
);
const TYPES = new Set(
  "qubit qreg bit creg bool int uint float angle complex duration stretch array void gphase".split(" "),
);

interface State {
  comment: boolean;
}

function inComment(stream: StringStream, state: State): boolean {
  if (!state.comment && stream.match("//")) {
    stream.skipToEnd();
    return true;
  }
  if (!state.comment && !stream.match("/*")) return false;
  state.comment = !stream.skipTo("*/");
  if (state.comment) stream.skipToEnd();
  else stream.match("*/");
  return true;
}

export const openqasm: StreamParser<State> = {
  name: "openqasm",
  startState: () => ({ comment: false }),
  languageData: { commentTokens: { line: "//", block: { open: "/*", close: "*/" } } },
  token(stream, state) {
    if (stream.eatSpace()) return null;
    if (inComment(stream, state)) return "comment";
    if (stream.match(/^"[^"]*"?/)) return "string";
    if (stream.match(/^(0[xXbBoO][\da-fA-F_]+|\d[\d_]*\.?\d*([eE][+-]?\d+)?|\.\d+)(ns|us|µs|ms|s|dt)?/))
      return "number";
    if (stream.match(/^(pi|π|tau|τ|euler|ℇ)\b/)) return "number";
    const word = stream.match(/^[A-Za-z_]\w*/);
    if (Array.isArray(word)) {
      if (KEYWORDS.has(word[0])) return "keyword";
      if (TYPES.has(word[0])) return "typeName";
      return stream.match(/^\s*(\([^()]*\))?\s+[A-Za-z_]/, false) ? "variableName.function" : null;
    }
    stream.next();
    return null;
  },
};
