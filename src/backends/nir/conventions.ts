/** How a tool reads NIR: the length of a step, and how decay and gain of a step are written. */
export interface Convention {
  /** Seconds of a step in the file. */
  readonly dt: number;
  /** τ of a step's decay: forward Euler decays by 1 − dt/τ, the exact solution by exp(−dt/τ). */
  readonly decay: 'euler' | 'exponential';
  /** It fires where the membrane reaches the threshold, not only above. */
  readonly reached: boolean;
  /** It takes the gain r of neurons that fire for 1: their membranes are written in units of r. */
  readonly unitGain?: true;
  readonly doc: string;
}

/** The tools that read NIR files, as `--nir-for` names them. */
export const conventions = {
  nir: { dt: 1e-4, decay: 'euler', reached: false, doc: 'what NIR says, by forward Euler with steps of 0.1 ms' },
  snntorch: {
    dt: 1e-4,
    decay: 'euler',
    reached: false,
    doc: 'snnTorch: β = 1 − dt/τ, fires above the threshold',
  },
  spikingjelly: { dt: 1e-4, decay: 'euler', reached: true, doc: 'SpikingJelly: fires from the threshold on' },
  norse: {
    dt: 1e-3,
    decay: 'euler',
    reached: false,
    unitGain: true,
    doc: 'Norse: steps of 1 ms, a gain r of 1',
  },
  sinabs: {
    dt: 1,
    decay: 'exponential',
    reached: true,
    doc: 'sinabs: τ in steps, exponential decay, fires from the threshold on',
  },
  rockpool: { dt: 1e-3, decay: 'exponential', reached: false, doc: 'Rockpool: exponential decay' },
  spyx: { dt: 1, decay: 'euler', reached: false, doc: 'Spyx: τ in steps' },
  lava: { dt: 1e-4, decay: 'euler', reached: false, doc: 'Lava: steps of 0.1 ms' },
} as const satisfies Readonly<Record<string, Convention>>;

export type NirReader = keyof typeof conventions;

export const nirReaders = Object.keys(conventions) as readonly NirReader[];
