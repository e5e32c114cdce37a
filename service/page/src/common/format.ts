// Numbers and times as people read them.

const COUNT = new Intl.NumberFormat("en");

export function count(value: number | string | undefined): string {
  return COUNT.format(Number(value ?? 0));
}

export function bytes(value: number | string | undefined): string {
  let size = Number(value ?? 0);
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit && size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

export function seconds(value: number): string {
  if (value < 0.001) return `${Math.max(0, Math.round(value * 1e6))} µs`;
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 60) return `${value.toFixed(1)} s`;
  const minutes = Math.floor(value / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(value % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The seconds of a time that its milliseconds don't tell. */
function rest(time: string): number {
  return Number(`0.000${/\.\d{3}(\d+)/.exec(time)?.[1] ?? "0"}`);
}

export function between(from: string, to?: string): number {
  if (!to) return (Date.now() - Date.parse(from)) / 1000;
  return (Date.parse(to) - Date.parse(from)) / 1000 + rest(to) - rest(from);
}

export function ago(time: string, now: number): string {
  const passed = Math.max(0, (now - Date.parse(time)) / 1000);
  if (passed < 5) return "just now";
  if (passed < 60) return `${Math.floor(passed)} s ago`;
  if (passed < 3600) return `${Math.floor(passed / 60)} min ago`;
  if (passed < 86400) return `${Math.floor(passed / 3600)} h ago`;
  return new Date(time).toLocaleDateString();
}

export function clock(time: string): string {
  const at = new Date(time);
  const part = (value: number, digits = 2): string => String(value).padStart(digits, "0");
  return `${part(at.getHours())}:${part(at.getMinutes())}:${part(at.getSeconds())}.${part(at.getMilliseconds(), 3)}`;
}

export function day(time: string): string {
  return new Date(time).toLocaleString();
}

/** The contract's own words in a text as people write them. */
export function plain(text: string): string {
  return text
    .replace(/(SIMULATION_METHOD|PRECISION)_\w+/g, (word) => `“${words(word, /^[A-Z]+(_METHOD)?_/)}”`)
    .replaceAll("`", "");
}

/** `SIMULATION_METHOD_DENSITY_MATRIX` as `density matrix`. */
export function words(value: string, prefix: string | RegExp): string {
  return value.replace(prefix, "").toLowerCase().replaceAll("_", " ");
}

export function number(value: number, digits = 4): string {
  if (value === 0) return "0";
  if (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e6) return value.toExponential(digits - 1);
  return value.toFixed(digits);
}
