import { allocate, elementCount, type Tensor } from '../../../src/base/dtype.js';
import { type Program, ProgramBuilder, type Value, concreteShape } from '../../../src/tensor/index.js';

/** A generator of numbers in [0, 1) that gives the same ones every time. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Tensors to feed a program with: floats around zero on a grid of eighths, small integers. */
export function randomInputs(program: Program, n: number, random: () => number): Record<string, Tensor> {
  return Object.fromEntries(
    program.inputs.map(({ id, dtype, shape }) => {
      const concrete = concreteShape(shape, n);
      const data = allocate(dtype, elementCount(concrete));
      for (let i = 0; i < data.length; i++) {
        if (dtype === 'bool') data[i] = random() < 0.5 ? 1 : 0;
        else if (dtype === 'u8') data[i] = Math.floor(random() * 256);
        else if (dtype === 'i8' || dtype === 'i32') data[i] = Math.floor(random() * 40) - 20;
        else data[i] = Math.floor(random() * 160 - 80) / 8;
      }
      return [id, { dtype, shape: concrete, data } as Tensor];
    }),
  );
}

export interface TsaOptions {
  readonly steps: number;
  readonly wait: number;
  readonly shape: readonly number[];
  readonly random: () => number;
}

/**
 * One layer of rectified TSA neurons (docs/sws.md) over the accumulator `psp`: f32 in, spikes f32,
 * emitted prefixes i32 and the last membrane f64 out.
 */
export function tsaLayer(
  b: ProgramBuilder,
  psp: Value,
  { steps, wait, shape, random }: TsaOptions,
): {
  spikes: Value;
  emitted: Value;
  membrane: Value;
} {
  const perChannel = shape.length === 3 ? [shape[0]!, 1, 1] : shape;
  const tensor = (): Tensor<'f64'> => ({
    dtype: 'f64',
    shape: perChannel,
    data: Float64Array.from({ length: elementCount(perChannel) }, () => random() / 4 - 0.1),
  });
  const gain = b.param(`gain.${psp.id}`, tensor());
  const bias = b.param(`bias.${psp.id}`, tensor());
  const theta = 2 ** wait;
  let u: Value | undefined;
  let prefix: Value | undefined;
  const spikes: Value[] = [];
  for (let g = 1; g <= steps + wait; g++) {
    const doubled: Value | undefined = u === undefined ? undefined : b.mul(u, 2);
    if (g <= steps) {
      const x = b.add(b.mul(b.cast(b.sliceAxis(psp, 0, g - 1, g), 'f64'), gain), bias);
      u = doubled === undefined ? x : b.add(doubled, x);
    } else u = doubled!;
    if (g <= wait) continue;
    const up = b.ge(u, theta / 2);
    const fired = b.cast(up, 'f64');
    const down = prefix === undefined ? undefined : b.and(b.le(u, -theta / 2), b.ge(prefix, 1));
    const s: Value = down === undefined ? fired : b.select(down, b.scalar('f64', -1), fired);
    u = b.sub(u, b.mul(s, theta));
    prefix = prefix === undefined ? s : b.add(b.mul(prefix, 2), s);
    spikes.push(b.cast(s, 'f32'));
  }
  return { spikes: b.concat(spikes, 0), emitted: b.cast(prefix!, 'i32'), membrane: u! };
}

export function tsaProgram(options: TsaOptions): Program {
  const b = new ProgramBuilder('tsa');
  const psp = b.input('psp', 'f32', [{ batch: options.steps }, ...options.shape]);
  const { spikes, emitted, membrane } = tsaLayer(b, psp, options);
  b.output('spikes', spikes);
  b.output('emitted', emitted);
  b.output('membrane', membrane);
  return b.build();
}
