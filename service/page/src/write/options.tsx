// The options of a job as a form, made of what the server says that its backends take.
import type { BackendInfo, OptionInfo } from "../api/types";
import { plain, words } from "../common/format";
import { noiseModel } from "./noise";
import { amplitudesOf } from "./state";

// A matrix would need an editor of its own.
const NOT_HERE = new Set(["initial_unitary"]);
const PRECISIONS = ["PRECISION_DOUBLE", "PRECISION_SINGLE"];
const BOUNDS = "matrix_product_state";
const FIRST = ["shots", "seed_simulator", "method", "noise"];

/** Options that the form has beside the contract's: noise that comes with all gates. */
export const NOISE: OptionInfo = {
  name: "noise",
  description: "Depolarizing noise after each gate on two qubits: its probability.",
};

const STATE = "initial_statevector";
const STATE_HINT = "The state before the first instruction: |01⟩, or amplitudes such as 0.6, 0.8i, 0, 0.";

/** The bounds of a matrix product state, which the contract has as one option of two fields. */
const OF_BOUNDS: OptionInfo[] = [
  {
    name: `${BOUNDS}.max_bond_dimension`,
    description: "Of a matrix product state: the most values of a bond between two qubits.",
  },
  {
    name: `${BOUNDS}.truncation_threshold`,
    defaultValue: "1e-16",
    description: "Of a matrix product state: how much of a bond’s weight may be cut, from 0 to below 1.",
  },
];

/** How the form has an option of the contract: as one field or as several. */
function fieldsOf(option: OptionInfo): OptionInfo[] {
  if (option.name === "noise_model") return [NOISE];
  if (option.name === BOUNDS) return OF_BOUNDS;
  return [option.name === STATE ? { ...option, description: STATE_HINT } : option];
}

export function optionsOf(backend: BackendInfo): OptionInfo[] {
  const shown = (backend.options ?? []).filter(({ name }) => !NOT_HERE.has(name)).flatMap(fieldsOf);
  const place = (name: string): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return shown.sort((a, b) => place(a.name) - place(b.name));
}

/** A field's name and value as the contract has them. */
function optionOf(name: string, value: string): [string, unknown] {
  if (name === "noise") return ["noise_model", noiseModel(Number(value))];
  if (name === STATE) return [name, amplitudesOf(value)];
  if (name === "max_run_time") return [name, `${Number(value)}s`];
  return [name, value === "true" || value === "false" ? value === "true" : value];
}

/** What the form says as the contract's RunOptions. */
export function runOptions(values: Record<string, string>): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [field, text] of Object.entries(values)) {
    const value = text.trim();
    if (!value) continue;
    const [whole = "", part] = field.split(".");
    const [name, given] = part
      ? [whole, { ...(made[whole] as object | undefined), [part]: value }]
      : optionOf(whole, value);
    made[name] = given;
  }
  return made;
}

interface Props {
  backend: BackendInfo;
  values: Record<string, string>;
  onChange: (values: Record<string, string>) => void;
}

export function OptionsForm({ backend, values, onChange }: Props) {
  const options = optionsOf(backend);
  const set = (name: string, value: string): void => onChange({ ...values, [name]: value });
  const field = (option: OptionInfo) => (
    <Field
      key={option.name}
      option={option}
      methods={backend.methods ?? []}
      value={values[option.name] ?? ""}
      onChange={(value) => set(option.name, value)}
    />
  );
  return (
    <>
      <div class="fields">{options.slice(0, 4).map(field)}</div>
      <details>
        <summary>More options</summary>
        <div class="fields">{options.slice(4).map(field)}</div>
      </details>
    </>
  );
}

interface FieldProps {
  option: OptionInfo;
  methods: string[];
  value: string;
  onChange: (value: string) => void;
}

function Field({ option, methods, value, onChange }: FieldProps) {
  const { name, defaultValue, description } = option;
  const id = `option-${name}`;
  const title = words(name, /^.*\./);
  const choices = name === "method" ? methods : name === "precision" ? PRECISIONS : [];
  if (defaultValue === "false" || defaultValue === "true") {
    return (
      <label class="field check">
        <input
          type="checkbox"
          checked={(value || defaultValue) === "true"}
          onChange={(event) => onChange(String(event.currentTarget.checked))}
        />
        <span>
          {title}
          <span class="hint">{plain(description)}</span>
        </span>
      </label>
    );
  }
  return (
    <div class="field">
      <label for={id}>{title}</label>
      {choices.length ? (
        <select
          id={id}
          value={value}
          aria-describedby={`${id}-hint`}
          onChange={(event) => onChange(event.currentTarget.value)}
        >
          <option value="">default</option>
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {words(choice, /^SIMULATION_METHOD_|^PRECISION_/)}
            </option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          type="text"
          inputMode="decimal"
          placeholder={defaultValue || (name === "noise" ? "none" : "unset")}
          value={value}
          aria-describedby={`${id}-hint`}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      )}
      <span class="hint" id={`${id}-hint`}>
        {plain(description)}
      </span>
    </div>
  );
}
