import type { Network } from '../../src/network/index.js';
import { type ConfiguredPass, byLayer, configure, pipelines } from '../../src/passes/index.js';
import { evaluateAnn } from '../../src/testing/ann-evaluate.js';

type Numbers = Readonly<Record<string, number>>;

/** The passes of a conversion to a coding that brings its neurons. */
export function timedOf(
  coding: string,
  args: Numbers & { readonly steps: number },
  neuron: { readonly name: string; readonly args: Numbers },
  silent: number,
  range: (id: string) => number = () => 2,
): readonly ConfiguredPass[] {
  return configure(pipelines['convert.timed'], {
    'activation-ranges': { range: byLayer(range) },
    'insert-neurons': { neuron, steps: args.steps, coding: { name: coding, args } },
    'schedule-time': { silent: byLayer(() => silent) },
  });
}

/** A neuron written out by hand, by itself: it is given its current step by step, and says what it fires and what that counts. */
export interface HandTrain {
  readonly spike: number;
  readonly worth: number;
}

/** A coding written out by hand. */
export interface HandCoding {
  readonly steps: number;
  readonly top: number;
  /** Layers wait for their whole input. */
  readonly whole: boolean;
  /** Starts a neuron: from the current of each step to what it fires. */
  readonly neuron: () => (x: number, t: number) => HandTrain;
  /** What it fires for the currents of all steps, where it has to know several before it fires. */
  readonly train?: (currents: readonly number[]) => readonly HandTrain[];
  /** The maximum of some trains, from what each fired and counted at all steps. */
  readonly maximum: (trains: readonly (readonly HandTrain[])[]) => readonly HandTrain[];
  /** The input's train, of a share of the largest input from −1 to 1. */
  readonly input: (share: number) => readonly HandTrain[];
}

/** Trains of a layer: step → neuron. */
type Layer = readonly (readonly HandTrain[])[];

/**
 * The network of clips with trains in their place, in plain loops, float64: weights as they stand, every neuron by itself,
 * one step after the other. `scale`: the input comes in spikes and is of at most that size; 0: it is a current.
 */
export function simulateTimed(
  clipped: Network,
  image: Float64Array,
  coding: HandCoding,
  scale: number,
): { readonly spikes: ReadonlyMap<string, readonly (readonly number[])[]>; readonly logits: readonly number[] } {
  const { steps, top } = coding;
  const layers = new Map<string, Layer>();
  const worths = new Map<string, readonly (readonly number[])[]>();
  const set = (id: string, layer: Layer, unit: number): void => {
    layers.set(id, layer);
    worths.set(
      id,
      layer.map((step) => step.map(({ worth }) => worth * unit)),
    );
  };
  const input = clipped.ops.find(({ kind }) => kind === 'input')!;
  if (scale > 0) {
    const trains = [...image].map((x) => coding.input(Math.max(-1, Math.min(1, x / scale))));
    set(
      input.id,
      Array.from({ length: steps }, (_, t) => trains.map((train) => train[t]!)),
      scale / top,
    );
  }
  const at = (t: number): ReadonlyMap<string, Float64Array> => {
    const now = new Map([...worths].map(([id, layer]) => [id, Float64Array.from(layer[t]!)] as const));
    if (scale > 0) now.delete(input.id);
    return now;
  };
  const valuesAt = (t: number): Map<string, Float64Array> => {
    const real = scale > 0 ? Float64Array.from(worths.get(input.id)![t]!) : image;
    return evaluateAnn(clipped, real, at(t)) as Map<string, Float64Array>;
  };
  const units = new Map<string, number>();
  for (const op of clipped.ops) {
    if (op.kind === 'clip') {
      const unit = Number(op.attrs.max) / top;
      units.set(op.id, unit);
      const currents = Array.from({ length: steps }, (_, t) => valuesAt(t).get(op.inputs[0]!)!);
      const trains = [...currents[0]!].map((_, i) => {
        if (coding.train !== undefined) return coding.train(currents.map((x) => x[i]! / unit));
        const neuron = coding.neuron();
        if (!coding.whole) return currents.map((x, t) => neuron(x[i]! / unit, t));
        // it reads for all steps, and fires in as many behind them
        const all = currents.reduce((sum, x) => sum + x[i]! / unit, 0);
        return currents.map((_, t) => neuron(t === 0 ? all : 0, t));
      });
      set(
        op.id,
        Array.from({ length: steps }, (_, t) => trains.map((train) => train[t]!)),
        unit,
      );
    } else if (op.kind === 'maxpool') {
      const from = layers.get(op.inputs[0]!)!;
      const unit = units.get(op.inputs[0]!)!;
      units.set(op.id, unit);
      const windows = windowsOf(clipped, op.id);
      const trains = windows.map((window) => coding.maximum(window.map((i) => from.map((step) => step[i]!))));
      set(
        op.id,
        Array.from({ length: steps }, (_, t) => trains.map((train) => train[t]!)),
        unit,
      );
    }
  }
  const sums: number[] = [];
  for (let t = 0; t < steps; t++) {
    valuesAt(t)
      .get(clipped.outputs[0]!)!
      .forEach((v, i) => (sums[i] = (sums[i] ?? 0) + v));
  }
  const spikes = new Map([...layers].map(([id, layer]) => [id, layer.map((step) => step.map(({ spike }) => spike))]));
  return { spikes, logits: sums.map((sum) => sum / steps) };
}

/** Which inputs each output of a pool covers. */
function windowsOf(network: Network, id: string): readonly (readonly number[])[] {
  const op = network.ops.find((one) => one.id === id)!;
  if (op.kind !== 'maxpool') throw new TypeError(`${id} is no pool`);
  const [, height, width] = network.ops.find((one) => one.id === op.inputs[0])!.type.shape as [number, number, number];
  const [channels, rows, columns] = op.type.shape as [number, number, number];
  const { kernel, stride, pads } = op.attrs;
  const windows: number[][] = [];
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) {
        const window: number[] = [];
        for (let dy = 0; dy < kernel[0]; dy++)
          for (let dx = 0; dx < kernel[1]; dx++) {
            const [row, column] = [y * stride[0] - pads[0] + dy, x * stride[1] - pads[1] + dx];
            if (row >= 0 && row < height && column >= 0 && column < width)
              window.push((c * height + row) * width + column);
          }
        windows.push(window);
      }
  return windows;
}
