import { tensor } from '../../src/base/dtype.js';
import { type Network, type Param, realValues } from '../../src/network/index.js';
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
  readonly neuron: () => (x: number, t: number, waits: number) => HandTrain;
  /** What of a train is still to come at a step, where neurons wait for it: of a neuron with its current there, or of an input. */
  readonly coming?: (train: readonly HandTrain[], t: number, current?: number) => number;
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
  const coming = new Map<string, readonly Float64Array[]>();
  const absolute = coding.coming === undefined ? undefined : absolutely(clipped);
  const setComing = (id: string, layer: Layer, unit: number, currents?: readonly Float64Array[]): void => {
    const { coming: of } = coding;
    if (of === undefined) return;
    const trains = layer[0]!.map((_, i) => layer.map((step) => step[i]!));
    const at = (t: number) => Float64Array.from(trains, (train, i) => unit * of(train, t, currents?.[t]![i]));
    coming.set(
      id,
      Array.from({ length: steps }, (_, t) => at(t)),
    );
  };
  /** By how much what is to come can change an op's value at a step. */
  const waits = (id: string, t: number): Float64Array | undefined => {
    if (absolute === undefined) return undefined;
    const now = new Map([...coming].map(([site, layer]) => [site, layer[t]!] as const));
    const real = now.get(input.id) ?? new Float64Array(image.length);
    now.delete(input.id);
    return evaluateAnn(absolute, real, now).get(id)!;
  };
  const set = (id: string, layer: Layer, unit: number): void => {
    layers.set(id, layer);
    worths.set(
      id,
      layer.map((step) => step.map(({ worth }) => worth * unit)),
    );
  };
  const input = clipped.ops.find(({ kind }) => kind === 'input')!;
  if (scale > 0) {
    const unit = scale / top;
    const trains = [...image].map((x) => coding.input(Math.max(-1, Math.min(1, x / scale))));
    set(
      input.id,
      Array.from({ length: steps }, (_, t) => trains.map((train) => train[t]!)),
      unit,
    );
    setComing(input.id, layers.get(input.id)!, unit);
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
      const waiting = currents.map((_, t) => waits(op.inputs[0]!, t));
      const trains = [...currents[0]!].map((_, i) => {
        if (coding.train !== undefined) return coding.train(currents.map((x) => x[i]! / unit));
        const neuron = coding.neuron();
        if (!coding.whole) return currents.map((x, t) => neuron(x[i]! / unit, t, (waiting[t]?.[i] ?? 0) / unit));
        // it reads for all steps, and fires in as many behind them
        const all = currents.reduce((sum, x) => sum + x[i]! / unit, 0);
        return currents.map((_, t) => neuron(t === 0 ? all : 0, t, 0));
      });
      set(
        op.id,
        Array.from({ length: steps }, (_, t) => trains.map((train) => train[t]!)),
        unit,
      );
      setComing(op.id, layers.get(op.id)!, unit, currents);
    } else if (op.kind === 'maxpool') {
      const from = layers.get(op.inputs[0]!)!;
      const unit = units.get(op.inputs[0]!)!;
      units.set(op.id, unit);
      const windows = windowsOf(clipped, op.id);
      const trains = windows.map((window) => coding.maximum(window.map((i) => from.map((step) => step[i]!))));
      const before = coming.get(op.inputs[0]!);
      if (before !== undefined) {
        const on = (train: readonly HandTrain[], t: number) => train[t]!.worth;
        const most = (window: readonly number[], t: number) => Math.max(...window.map((i) => before[t]![i]!));
        coming.set(
          op.id,
          before.map((_, t) => Float64Array.from(windows, (window, i) => most(window, t) * (1 - on(trains[i]!, t)))),
        );
      }
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

/** The network with the sizes of its weights, without constants. */
function absolutely(network: Network): Network {
  const constants = new Set(
    network.ops.flatMap(({ params }) => [params['bias'], params['shift']].filter((name) => name !== undefined)),
  );
  const params = [...network.params].map(([name, param]): [string, Param] => {
    const values = realValues(param).map((x) => (constants.has(name) ? 0 : Math.abs(x)));
    return [name, { tensor: tensor('f64', param.tensor.shape, Float64Array.from(values)) }];
  });
  return { ...network, params: new Map(params) };
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
