import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Diagnostic, DiagnosticError } from '../../src/base/diagnostics/index.js';
import { openDataset } from '../../src/data/index.js';
import { driver } from '../../src/commands/index.js';
import { encodeWeights, parseNetwork, printNetwork } from '../../src/network/index.js';
import { fixedNetwork } from '../support/damage.js';
import { pictureKinds } from '../../src/report/measured/kinds.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeTinySet } from '../support/tiny-training.js';

it('a network whose weights are no numbers is refused by eval, with its place and a remedy', async () => {
  const root = temporaryFolder();
  const network = fixedNetwork();
  for (const { tensor } of network.params.values()) if (tensor.dtype === 'f32') tensor.data.fill(Number.NaN);
  const folder = join(root, 'run');
  mkdirSync(folder);
  writeFileSync(join(folder, 'network.ir'), printNetwork(network));
  writeFileSync(join(folder, 'weights.safetensors'), encodeWeights(network));
  const dataset = openDataset(writeTinySet(root));
  const evaluated = driver.evaluateTarget({ path: folder }, { dataset, limit: 4, normalisation: {} });
  const error: unknown = await evaluated.then(
    ({ diagnostics }) => new DiagnosticError(diagnostics),
    (thrown: unknown) => thrown,
  );
  dataset.close();
  expect(error).toBeInstanceOf(DiagnosticError);
  const [problem] = (error as DiagnosticError).diagnostics;
  expect(problem).toMatchObject({ code: 'network/not-finite', place: { file: join(folder, 'network.ir') } });
  expect(problem?.message).toContain('gives NaN');
  expect(problem?.help).toContain('lower rate');
});

it('nor does any other command measure it: cost, every picture of images, report; nothing is written', async () => {
  const root = temporaryFolder();
  const network = fixedNetwork();
  for (const { tensor } of network.params.values()) if (tensor.dtype === 'f32') tensor.data.fill(Number.NaN);
  const path = join(root, 'run');
  mkdirSync(path);
  writeFileSync(join(path, 'network.ir'), printNetwork(network));
  writeFileSync(join(path, 'weights.safetensors'), encodeWeights(network));
  const dataset = openDataset(writeTinySet(root));
  const data = { dataset, limit: 4, normalisation: {} };
  const outFile = join(root, 'out');
  // bits are of weights alone, boxes of a detector's outputs, pixels of one that gives a number for each
  const measured = pictureKinds.filter((kind) => !['bits', 'boxes', 'pixels'].includes(kind));
  const commands: Record<string, () => Promise<{ readonly diagnostics: readonly Diagnostic[] }>> = {
    cost: () => driver.costOf({ path }, { data }),
    report: () => driver.reportTargets([{ path }], { ...data, outFile }),
    ...Object.fromEntries(
      measured.map((kind) => [kind, () => driver.drawPicture({ path }, { kind, ...data, outFile })]),
    ),
  };
  for (const [name, run] of Object.entries(commands)) {
    const { diagnostics } = await run().catch((error: unknown) => {
      if (error instanceof DiagnosticError) return error;
      throw error;
    });
    expect([name, diagnostics.map(({ code }) => code)]).toEqual([name, ['network/not-finite']]);
    expect(existsSync(outFile)).toBe(false);
  }
  dataset.close();
});

it('figures that a network doesn’t have are refused, not left out', async () => {
  const root = temporaryFolder();
  const { coding: _, ...plain } = parseNetwork(
    {
      name: 'a.ir',
      text: 'network "a"\n%x = input {shape=[1,6,6]} : real[1,6,6]\n%y = flatten %x : real[36]\noutput %y',
    },
    new Map(),
  ).value!;
  const [spiking, ann] = ['spiking', 'ann'].map((name) => join(root, name)) as [string, string];
  for (const [folder, network] of [
    [spiking, fixedNetwork()],
    [ann, plain],
  ] as const) {
    mkdirSync(folder);
    writeFileSync(join(folder, 'network.ir'), printNetwork(network));
    writeFileSync(join(folder, 'weights.safetensors'), encodeWeights(network));
  }
  const dataset = openDataset(writeTinySet(root));
  const told = async (path: string, flag: 'stages' | 'activity') => {
    const { diagnostics } = await driver.evaluateTarget({ path }, { dataset, normalisation: {}, [flag]: true });
    return diagnostics.map(({ code, message }) => `${code}: ${message}`).join();
  };
  for (const [folder, flag] of [
    [spiking, 'stages'],
    [ann, 'stages'],
    [ann, 'activity'],
  ] as const) {
    expect(await told(folder, flag), `${folder} ${flag}`).toMatch(new RegExp(`^cli/not-lowered: .*--${flag}`));
  }
  dataset.close();
});
