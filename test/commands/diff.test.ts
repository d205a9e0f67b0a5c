import { cpSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { openDataset } from '../../src/data/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import type { DiffOptions, DiffResult } from '../../src/commands/diff.js';
import type { Outcome } from '../../src/base/diagnostics/index.js';

const lenet = 'examples/convert-onnx/lenet5.spike';
const mnist = 'examples/write-a-network/mnist.spike';
const zoo = 'models/multibit/resnet20.spike';

function valueOf<T>({ value, diagnostics }: Outcome<T>): T {
  expect(diagnostics.filter((d) => d.severity === 'error').map((d) => d.message)).toEqual([]);
  return value!;
}

function target(text: string): { path: string; config?: string } {
  const [path, config] = text.split('#') as [string, string?];
  return { path, ...(config === undefined ? {} : { config }) };
}

async function diff(from: string, to: string, options: DiffOptions = {}): Promise<DiffResult> {
  return valueOf(await driver.diffTargets(target(from), target(to), options));
}

async function codes(from: string, to: string, options: DiffOptions = {}): Promise<readonly string[]> {
  const { diagnostics } = await driver.diffTargets(target(from), target(to), options);
  return diagnostics.map(({ code }) => code);
}

async function compile(text: string): Promise<string> {
  const outDir = join(temporaryFolder(), 'compiled');
  valueOf(await driver.compileTarget(target(text), { emit: ['ir'], outDir, verify: false }));
  return outDir;
}

it.each([`${lenet}#fast`, mnist])(
  'a config, its compiled folder and its .ir file are one network: %s',
  async (text) => {
    const folder = await compile(text);
    for (const other of [folder, join(folder, 'network.ir')]) {
      const { view, identical } = await diff(text, other);
      expect(identical).toBe(true);
      expect(view.diff.weights.length).toBeGreaterThan(0);
      for (const field of ['macs', 's_ace', 'latency_steps']) expect(view.cost[field]!.from).toBe(view.cost[field]!.to);
    }
  },
);

it('an .ir file costs what its config does', async () => {
  const ir = join(await compile(mnist), 'network.ir');
  const [own, text] = await Promise.all([driver.costOf({ path: mnist }, {}), driver.costOf({ path: ir }, {})]);
  const { macs, s_ace, latency_steps, spike_bits, real_macs } = valueOf(own).total;
  expect(valueOf(text).total).toMatchObject({ macs, s_ace, latency_steps, spike_bits, real_macs });
});

it('an .ir file is evaluated like its config', async () => {
  const dataset = openDataset('mnist:test', {});
  const ir = join(await compile(mnist), 'network.ir');
  const options = { dataset, normalisation: { mean: [0.1307], std: [0.3081] }, limit: 20 };
  try {
    const own = valueOf(await driver.evaluateTarget({ path: mnist }, options));
    const text = valueOf(await driver.evaluateTarget({ path: ir }, options));
    expect({ ...text, seconds: 0 }).toEqual({ ...own, seconds: 0 });
  } finally {
    dataset.close();
  }
});

it('an .ir file of a conversion predicts what the conversion does, without its source', async () => {
  const dataset = openDataset('mnist:test', {});
  const ir = join(await compile(`${lenet}#fast`), 'network.ir');
  const options = { dataset, normalisation: { mean: [0.5], std: [0.5] }, limit: 30 };
  try {
    const own = valueOf(await driver.evaluateTarget(target(`${lenet}#fast`), { ...options, verify: false }));
    const text = valueOf(await driver.evaluateTarget({ path: ir }, options));
    const { source: _, seconds: __, ...figures } = own;
    expect(text).toMatchObject(figures);
    expect(text.spikes_per_neuron).toBeGreaterThan(0);
  } finally {
    dataset.close();
  }
});

it('an equation that names nothing is refused by all who read it', async () => {
  const folder = await compile(mnist);
  const ir = join(folder, 'network.ir');
  writeFileSync(ir, readFileSync(ir, 'utf8').replace('charge u = ', 'charge u = nowhere + '));
  expect(await codes(ir, folder, { ir: 'tensor' })).toEqual(['network/invalid']);
  expect(await codes(ir, folder, {})).toEqual(['network/invalid']);
});

it('names what differs between two codings of a conversion', async () => {
  const { view } = await diff(`${lenet}#converted`, `${lenet}#fast`);
  const { diff: found } = view;
  expect(found.network).toEqual([{ field: 'coding.silent', from: 2, to: 0 }]);
  expect(found.weights.every(({ equal }) => equal)).toBe(true);
  expect([found.added, found.removed, found.renamed]).toEqual([[], [], []]);
  expect(new Set(found.changed.map(({ field }) => field))).toEqual(new Set(['silent', 'time']));
  expect(view.cost['latency_steps']).toEqual({ from: 16, to: 8 });
});

it('an ONNX file is compared as it is imported, or after a pass', async () => {
  const imported = await diff('examples/convert-onnx/lenet5.onnx', `${lenet}#fast`, { at: 'source' });
  expect(imported.identical).toBe(true);
  const { view } = await diff('examples/convert-onnx/lenet5.onnx', `${lenet}#fast`);
  expect(view.diff.changed).toContainEqual({ id: 'Relu.quant', field: 'kind', from: 'quantize', to: 'neuron' });
});

it('--at compares before what later passes do', async () => {
  expect((await diff(`${lenet}#converted`, `${lenet}#fast`, { at: 'quantiser-regions' })).identical).toBe(true);
  expect(await codes(`${lenet}#fast`, `${lenet}#fast`, { at: 'quantizer-regions' })).toEqual(['cli/unknown-pass']);
  expect(await codes(mnist, mnist, { at: 'schedule-time' })).toEqual(['cli/unknown-pass']);
});

it('tensor programs differ by op', async () => {
  const { program, identical } = await diff(`${zoo}#narrow`, `${zoo}#narrow_mb21`, { ir: 'tensor' });
  expect(identical).toBe(false);
  expect(program!.length).toBeGreaterThan(10);
  const stem = program!.find(({ id }) => id === 'stem.spike')!;
  expect(stem.lines.some((line) => line.startsWith('- ') || line.startsWith('-%'))).toBe(true);
  expect(stem.lines.join('\n')).toContain('+%stem.spike');
  const same = await diff(`${zoo}#narrow`, `${zoo}#narrow`, { ir: 'tensor' });
  expect(same).toMatchObject({ identical: true, program: [] });
});

it('every config of a file against one; what fails says so and stops nobody', async () => {
  const path = join(temporaryFolder(), 'net.spike');
  writeFileSync(
    path,
    `use "spikec/neurons" { LIF }
network N() {
  input x: real[1, 4, 4]
  output x | flatten | linear(3) | spike | linear(2)
}
config base { network N  neuron LIF(tau: 4)  coding direct(steps: 2) }
config slow extends base { coding direct(steps: 4) }
config same extends base {}
config sws extends base { coding sws(beta: 2, steps: 8, silent: 2) }
`,
  );
  const { base, configs } = valueOf(await driver.diffConfigs({ path }, {}));
  expect(base).toBe('base');
  expect(configs.map((row) => ('result' in row ? `${row.config} ${row.result.identical}` : row.config))).toEqual([
    'slow false',
    'same true',
    'sws',
  ]);
});

it('weights are read beside the .ir file and nowhere else', async () => {
  const folder = await compile(mnist);
  const outside = temporaryFolder();
  renameSync(join(folder, 'weights.safetensors'), join(outside, 'w'));
  expect(await codes(join(folder, 'network.ir'), mnist)).toEqual(['network/ir-syntax']);
  symlinkSync(join(outside, 'w'), join(folder, 'weights.safetensors'));
  expect(await codes(join(folder, 'network.ir'), mnist)).toEqual(['network/weights-outside']);
});

it('a run.json that is none is a diagnostic', async () => {
  const folder = await compile(mnist);
  for (const text of ['{', '[]', '{"config": 3}', 'null']) {
    writeFileSync(join(folder, 'run.json'), text);
    expect(await codes(folder, folder)).toEqual(['train/bad-run']);
  }
});

it('damaged .ir files end in diagnostics in every command', async () => {
  const folder = await compile(mnist);
  const text = readFileSync(join(folder, 'network.ir'), 'utf8');
  const damaged = join(temporaryFolder(), 'd');
  mkdirSync(damaged);
  cpSync(join(folder, 'weights.safetensors'), join(damaged, 'weights.safetensors'));
  const ir = join(damaged, 'x.ir');
  const damages: readonly ((text: string) => string)[] = [
    (t) => t.slice(0, t.length / 2),
    (t) => t.replace('{coding=direct, steps=4', '{coding=direct, steps=400000000'),
    (t) => t.replaceAll('[16,28,28]', '[16,28000000,28]'),
    (t) => t.replace('kernel=[3, 3]', 'kernel=[3]'),
    (t) => t.replace('stride=[1, 1]', 'stride=[0, 0]'),
    (t) => t.replace('levels=[0, 1]', 'levels=[]'),
    (t) => t.replace('charge u = ', 'charge u = nowhere + '),
    (t) => t.replace(/f(32|64)\[16,1,3,3\]/, 'i8[16,1,3,3]'),
    (t) => t.replace('{coding=direct', '{coding=7'),
    (t) => t.replaceAll('%image', '%image.x').replace('%image.x ', '%image'),
    () => '',
    () => '\u0000',
  ];
  const dataset = openDataset('mnist:test', {});
  try {
    for (const [i, damage] of damages.entries()) {
      writeFileSync(ir, damage(text));
      const outcomes = [
        await driver.costOf({ path: ir }, {}),
        await driver.diffTargets({ path: ir }, { path: folder }, {}),
        await driver.evaluateTarget({ path: ir }, { dataset, normalisation: {}, limit: 2 }),
      ];
      const said = outcomes.map(({ value, diagnostics }) => (value === undefined ? diagnostics.length > 0 : 'a value'));
      expect({ i, said }).toEqual({ i, said: [true, true, true] });
    }
  } finally {
    dataset.close();
  }
});
