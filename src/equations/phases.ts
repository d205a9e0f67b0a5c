/** What the compiler must know of a phase of a neuron's time step. */
interface PhaseRow {
  readonly doc: string;
  /** A neuron must have it. */
  readonly required?: true;
  /** It assigns the output `s`; the neuron's surrogate stands in for its jumps. */
  readonly fires?: true;
  /** Its dependence on the output can be cut from the gradient: `reset detached`. */
  readonly detachable?: true;
}

const rows = {
  charge: { doc: 'the membrane from the input current `x`', required: true },
  fire: { doc: 'the output `s` from the membrane', required: true, fires: true },
  reset: { doc: 'the membrane from the output', detachable: true },
} as const satisfies Readonly<Record<string, PhaseRow>>;

export type PhaseName = keyof typeof rows;

/** The phases of a time step, in their order. A new one is a row here, a keyword of the grammar and a word in the docs. */
export const phaseTable: Readonly<Record<PhaseName, PhaseRow>> = rows;

export const phaseNames: readonly PhaseName[] = Object.keys(rows) as PhaseName[];

export function isPhaseName(text: string): text is PhaseName {
  return Object.hasOwn(rows, text);
}
