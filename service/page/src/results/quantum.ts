// Quantities of states.
import type { Numbers } from "./data";

export interface Bloch {
  x: number;
  y: number;
  z: number;
}

const at = (values: Numbers, index: number): number => Number(values[index] ?? 0);

/** The Bloch vector of each qubit of a pure state of `count` amplitudes. */
export function blochOfState(values: Numbers, count: number): Bloch[] {
  const found: Bloch[] = [];
  for (let bit = 1; bit < count; bit *= 2) {
    let [x, y, z] = [0, 0, 0];
    for (let index = 0; index < count; index += 1) {
      const [re, im] = [at(values, 2 * index), at(values, 2 * index + 1)];
      if (index & bit) {
        z -= re * re + im * im;
        continue;
      }
      z += re * re + im * im;
      const [re1, im1] = [at(values, 2 * (index | bit)), at(values, 2 * (index | bit) + 1)];
      x += 2 * (re * re1 + im * im1);
      y += 2 * (re * im1 - im * re1);
    }
    found.push({ x, y, z });
  }
  return found;
}

/** The same of a density matrix of `size` rows. */
export function blochOfMatrix(values: Numbers, size: number): Bloch[] {
  const found: Bloch[] = [];
  for (let bit = 1; bit < size; bit *= 2) {
    let [x, y, z] = [0, 0, 0];
    for (let index = 0; index < size; index += 1) {
      const diagonal = at(values, 2 * (index * size + index));
      if (index & bit) {
        z -= diagonal;
        continue;
      }
      z += diagonal;
      const beside = 2 * ((index | bit) * size + index);
      x += 2 * at(values, beside);
      y += 2 * at(values, beside + 1);
    }
    found.push({ x, y, z });
  }
  return found;
}

/** The colour of a phase, in radians: once around the wheel. */
export function phaseColour(phase: number, light: number): string {
  return `hsl(${Math.round(((phase * 180) / Math.PI + 360) % 360)} 62% ${light}%)`;
}

export function basisState(index: number, qubits: number): string {
  return index.toString(2).padStart(Math.max(qubits, 1), "0");
}
