import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DiagnosticError, type Diagnostic } from '../../src/base/diagnostics/index.js';
import { openDataset } from '../../src/data/index.js';
import { driver } from '../../src/commands/index.js';
import { type Network, encodeWeights, printNetwork } from '../../src/network/index.js';
import { fixedNetwork, learningNetwork, withValues } from '../support/damage.js';
import { checkRuns } from '../../src/run/runnable.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeTinySet } from '../support/tiny-training.js';

/** The errors of each command on a folder with an edited text. */
async function errorsOf(network: Network, edit: (text: string) => string): Promise<Record<string, readonly string[]>> {
  const root = temporaryFolder();
  const folder = join(root, 'run');
  mkdirSync(folder);
  writeFileSync(join(folder, 'network.ir'), edit(printNetwork(network)));
  writeFileSync(join(folder, 'weights.safetensors'), encodeWeights(network));
  const dataset = openDataset(writeTinySet(root));
  const target = { path: folder };
  const data = { dataset, limit: 4, normalisation: {} };
  const outFile = join(root, 'out');
  const commands: Record<string, () => Promise<{ readonly diagnostics: readonly Diagnostic[] }>> = {
    cost: () => driver.costOf(target, {}),
    eval: () => driver.evaluateTarget(target, data),
    allocate: () => driver.allocateTarget(target, { ...data, goal: { unit: 'weight_bits', value: 2 }, least: 1 }),
    bits: () => driver.drawPicture(target, { kind: 'bits', normalisation: {}, outFile }),
    levels: () => driver.drawPicture(target, { kind: 'levels', ...data, outFile }),
    report: () => driver.reportTargets([target], { ...data, outFile }),
  };
  const said: Record<string, readonly string[]> = {};
  try {
    for (const [name, run] of Object.entries(commands)) {
      const { diagnostics } = await run().catch((error: unknown) => {
        if (error instanceof DiagnosticError) return error;
        throw error;
      });
      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      for (const { place } of errors) expect(place).toMatchObject({ source: { name: join(folder, 'network.ir') } });
      said[name] = [...new Set(errors.map(({ code }) => code))];
    }
  } finally {
    dataset.close();
  }
  return said;
}

const everywhere = (code: string) =>
  Object.fromEntries(['cost', 'eval', 'allocate', 'bits', 'levels', 'report'].map((name) => [name, [code]]));

it('a folder without the bound of its learned bits ends in a diagnostic in every command', async () => {
  const said = await errorsOf(learningNetwork(), (text) => text.replace(', bits_max=6', ''));
  expect(said).toEqual(everywhere('network/invalid'));
});

it('so does one whose weights have a NaN for learned steps', async () => {
  const network = learningNetwork();
  const params = withValues(network, 'coded.spike.steps', NaN);
  expect(await errorsOf({ ...network, params }, (text) => text)).toEqual(everywhere('network/invalid'));
});

it('so does one whose equations name what there is not', async () => {
  const said = await errorsOf(fixedNetwork(), (text) => text.replace('Refined(bits =', 'Refined(bitz ='));
  expect(said).toEqual(everywhere('network/invalid'));
});

it('so does one of a coding that there is not, at the place that names it', async () => {
  const said = await errorsOf(fixedNetwork(), (text) => text.replace('coding direct(', 'coding dyrect('));
  expect(said).toEqual(everywhere('network/invalid'));
});

it('a network whose coding is none is refused by those who would run it', () => {
  const network = { ...fixedNetwork(), coding: { name: 'foo', args: {} } };
  const refused = (): void => checkRuns(network, 'network.ir');
  expect(refused).toThrow(DiagnosticError);
  try {
    refused();
  } catch (error) {
    expect((error as DiagnosticError).diagnostics.map(({ code }) => code)).toEqual(['network/not-runnable']);
  }
});
