import { afterEach, expect, it, vi } from 'vitest';
import type { Diagnostic } from '../../src/base/diagnostics/index.js';
import { estimate } from '../../src/engines/index.js';
import { engineForWork } from '../../src/run/engine.js';
import { type Program, ProgramBuilder } from '../../src/tensor/index.js';
import { nativeEngines } from '../support/native.js';
import { randomTensor, random } from '../tensor/cases.js';

/** 3×3 convolution of 16 to 32 channels on 10×10 places, and its negative: 3,200 · 144 products, 6,400 elements. */
function convolution(): Program {
  const b = new ProgramBuilder('work');
  const w = b.param('w', randomTensor('f32', [32, 16, 3, 3], random(1)));
  const y = b.conv2d(b.input('x', 'f32', [{ batch: 1 }, 16, 10, 10]), w, { pads: [1, 1, 1, 1] });
  b.output('y', b.neg(y));
  return b.build();
}

/** The engine that `auto` takes for so many samples, and what it says. */
async function taken(samples: number, run = engineForWork): Promise<{ name: string; notes: Diagnostic[] }> {
  const notes: Diagnostic[] = [];
  const work = { program: convolution, samples, threads: 2 };
  const { name } = await run('auto', 'infer', work, (found) => notes.push(found));
  return { name, notes };
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

it('estimates work from elements and products of a sample, and takes off what a compiler needs', () => {
  const { seconds, gain } = estimate({ program: convolution, samples: 1e6, threads: 2 });
  const ops = convolution().ops.length;
  expect(seconds).toBeCloseTo((1e6 * (6400 * 1e-10 + 3200 * 144 * 2e-11)) / 2, 9);
  expect(gain).toBeCloseTo(seconds / 2 - 1 - 0.0015 * ops, 9);
});

it('estimates a training from elements, products and calls of ops, of which smaller batches have more', () => {
  const ops = convolution().ops.length;
  for (const batch of [10, 100]) {
    const { seconds, gain } = estimate({ program: convolution, samples: 1e6, threads: 2, batch });
    const calls = (1e6 / batch) * ops * 2e-5;
    expect(seconds).toBeCloseTo((1e6 * (6400 * 5e-11 + 3200 * 144 * 6.5e-11)) / 2 + calls, 9);
    expect(gain).toBeCloseTo(0.7 * seconds - 1 - 0.0015 * ops, 9);
  }
});

it('auto takes the engine that is always there for work that is shorter than a compiler’s', async () => {
  expect(await taken(100)).toEqual({ name: 'fused', notes: [] });
  expect(await taken(100_000)).toEqual({ name: 'fused', notes: [] });
});

it.skipIf(nativeEngines.length === 0)(
  'auto takes native for long work, and an engine that is named whatever the work',
  async () => {
    expect(await taken(10_000_000)).toEqual({ name: 'native', notes: [] });
    const work = { program: convolution, samples: 1e7 };
    const { name } = await engineForWork('onnxruntime', 'infer', work, () => undefined);
    expect(name).toBe('onnxruntime');
  },
);

it('where native would pay and no compiler is there, auto says so and goes on without', async () => {
  vi.stubEnv('CC', '/nowhere/cc');
  vi.resetModules();
  const fresh = await import('../../src/run/engine.js');
  const { name, notes } = await taken(10_000_000, fresh.engineForWork);
  expect(name).toBe('fused');
  expect(notes).toMatchObject([{ code: 'engine/native-missing', severity: 'note' }]);
  expect(notes[0]!.message).toContain('/nowhere/cc');
  expect(notes[0]!.help).toContain('unset CC');
});
