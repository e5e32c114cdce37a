// The noise that the form offers: depolarizing, after each gate on two qubits.

interface NoiseModel {
  channels: { depolarizing: { probability: number; num_qubits: number } }[];
  rules: { channel: number }[];
}

export function noiseModel(probability: number): NoiseModel {
  return {
    channels: [{ depolarizing: { probability, num_qubits: 2 } }],
    rules: [{ channel: 0 }],
  };
}

/** The probability of such a model. */
export function noiseOf(model: unknown): number {
  return (model as Partial<NoiseModel>).channels?.[0]?.depolarizing?.probability ?? 0;
}

/** A model in words. */
export function noiseText(model: unknown): string {
  const probability = noiseOf(model);
  return `depolarizing, ${probability} after each gate on two qubits`;
}
