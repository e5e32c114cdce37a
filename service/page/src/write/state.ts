// The state that a circuit begins with, as the form has it: a basis state such as |01⟩, or amplitudes by commas.

/** The contract's ComplexArray: real and imaginary parts in turn. A word that is no number stays one. */
export interface Amplitudes {
  shape: number[];
  values: (number | string)[];
}

const BASIS = /^\|?([01]{1,12})[⟩>]$/;
const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?`;
const REAL = new RegExp(`^${NUMBER}$`, "i");
const IMAGINARY = new RegExp(`^(${NUMBER}|[+-]?)[ij]$`, "i");
const BOTH = new RegExp(`^(${NUMBER})([+-](?:${NUMBER.replace("[+-]?", "")})?)[ij]$`, "i");

/** What stands before an i, where nothing does is one. */
const factor = (text: string): number => (/^[+-]?$/.test(text) ? Number(`${text}1`) : Number(text));

function parts(text: string): (number | string)[] {
  const word = text.replaceAll(/\s/g, "");
  if (REAL.test(word)) return [Number(word), 0];
  const imaginary = IMAGINARY.exec(word);
  if (imaginary) return [0, factor(imaginary[1] ?? "")];
  const both = BOTH.exec(word);
  if (both) return [Number(both[1]), factor(both[2] ?? "")];
  // The server says that this is no number, and which it is.
  return [text.trim(), 0];
}

export function amplitudesOf(text: string): Amplitudes {
  const basis = BASIS.exec(text.trim())?.[1];
  if (basis !== undefined) {
    const values = new Array<number>(2 << basis.length).fill(0);
    values[2 * Number.parseInt(basis, 2)] = 1;
    return { shape: [1 << basis.length], values };
  }
  const words = text.split(",");
  return { shape: [words.length], values: words.flatMap(parts) };
}

/** Each amplitude in Python's words, such as 0.6 or 0.8j. */
export function amplitudeWords({ values }: Amplitudes): string[] {
  const words: string[] = [];
  for (let at = 0; at < values.length; at += 2) {
    const [real, imaginary] = [Number(values[at]), Number(values[at + 1])];
    if (!imaginary) words.push(String(real));
    else if (!real) words.push(`${imaginary}j`);
    else words.push(`${real}${imaginary < 0 ? "" : "+"}${imaginary}j`);
  }
  return words;
}

const SHOWN = 8;

/** The state for people to read. */
export function stateText(state: Amplitudes): string {
  const words = amplitudeWords(state).map((word) => word.replace("j", "i"));
  const more = words.length > SHOWN ? `, … (${words.length} amplitudes)` : "";
  return words.slice(0, SHOWN).join(", ") + more;
}
