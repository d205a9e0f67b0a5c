import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { convertedBy } from '../../src/convert/supported-ops.js';
import type { ConvertOptions } from '../../src/convert/options.js';
import { lower } from '../../src/lower/program/index.js';
import { type Network, type OpKind, opKinds } from '../../src/network/index.js';
import { isSplit } from '../../src/passes/index.js';
import { evaluateAnn } from '../../src/testing/ann-evaluate.js';
import { networkOfKind } from '../../src/testing/op-cases.js';
import { evaluate } from '../../src/tensor/index.js';
import { type ConversionCoding, conversionCodings } from '../../src/workspace/types.js';
import {
  burst,
  calibrated,
  hand,
  levels,
  pattern,
  phase,
  plainNeuron,
  signedNeuron,
  tsc,
  ttfs,
  ttfsDynamic,
} from '../support/hand-codings.js';
import { randomImages } from '../support/random-network.js';
import { type HandCoding, simulateTimed } from '../support/timed.js';

/** Each coding with few steps, and its simulation in plain loops; of sws, whose codes are exact, there is none. */
const codings: Readonly<Record<ConversionCoding, readonly [Partial<ConvertOptions>, HandCoding | undefined]>> = {
  sws: [{ steps: 8, silent: 8 }, undefined],
  rate: [{ steps: 6 }, hand(6, plainNeuron)],
  signed: [{ steps: 7 }, hand(7, signedNeuron)],
  offset: [{ steps: 6, look: 3 }, hand(6, plainNeuron, { train: (currents) => calibrated(currents, 3) })],
  mbif: [{ steps: 2 }, levels(2, 8, 15)],
  ibra: [{}, levels(1, 100, 511, true)],
  binary: [{ steps: 5 }, levels(1, 1, 31, true)],
  phase: [{ steps: 8, period: 4 }, phase(8, 4)],
  burst: [{ steps: 8 }, burst(8, 0.125, 2, 5)],
  ttfs: [{ steps: 8 }, ttfs(8, 0)],
  ttfs_dynamic: [{ steps: 8 }, ttfsDynamic(8)],
  tsc: [{ steps: 6 }, tsc(6)],
  pattern: [{ steps: 5 }, pattern(5)],
};

const x = Float32Array.from(randomImages(3, 1, [2, 6, 6]), (v) => Math.round(Math.abs(v) * 60) / 255);

function isCarried(network: Network, coding: ConversionCoding): boolean {
  const [options, simulated] = codings[coding];
  const result = convertedBy(network, coding, options);
  const errors = result.diagnostics.filter(({ severity }) => severity === 'error');
  if (result.network === undefined || errors.length > 0) {
    // by name, with what would do
    expect(errors.length).toBeGreaterThan(0);
    for (const { code, message, help } of errors) {
      expect(['convert/no-spiking-form', 'convert/no-quantiser', 'convert/bad-coding']).toContain(code);
      expect(message).toMatch(/%?\w+/);
      expect(help).toBeDefined();
    }
    return false;
  }
  const stage = coding === 'sws' ? 'quantiser-regions' : 'activation-ranges';
  const before = result.runs.find(({ pass }) => pass === stage)!.network;
  const { program, outputs } = lower(result.network, { probes: { trains: () => true } });
  const found = evaluate(program, { image: tensor('f32', [1, 2, 6, 6], x) }, { precision: 'f64' });
  const image = Float64Array.from(x);
  const { logits, spikes } =
    simulated === undefined
      ? { logits: [...evaluateAnn(before, image).get(before.outputs[0]!)!], spikes: new Map() }
      : simulateTimed(before, image, simulated, 0);
  const size = Math.max(1, ...logits.map(Math.abs));
  const own = [...found['0']!.data];
  expect(own).toHaveLength(logits.length);
  own.forEach((value, i) => expect(Math.abs(value - logits[i]!)).toBeLessThan(2e-5 * size));
  let fired = 0;
  for (const [id, train] of spikes as ReadonlyMap<string, readonly (readonly number[])[]>) {
    const name = outputs.probes.train.get(id);
    if (name === undefined || isSplit(result.network)) continue;
    const flat = train.flat();
    [...found[name]!.data].forEach((value, i) => expect(value).toBeCloseTo(flat[i]!, 6));
    fired += flat.filter((s) => s !== 0).length;
  }
  if (simulated !== undefined && !isSplit(result.network)) expect(fired).toBeGreaterThan(0);
  return true;
}

const page = readFileSync(new URL('../../docs/neurons.md', import.meta.url), 'utf8');

/** Names in backquotes. */
const named = (cell: string): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name!);

/** The table of docs/neurons.md: of each column its codings, and what it says of each kind. */
const columns = ((): (readonly [readonly string[], ReadonlyMap<string, string>])[] => {
  const lines = page
    .split('<!-- codings and layers')[1]!
    .split('<!-- end of')[0]!
    .split('\n')
    .filter((line) => line.startsWith('|'));
  const [head, , ...rows] = lines.map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim())); // prettier-ignore
  return head!.slice(1).map((codings, i) => {
    const said = rows.flatMap(([kinds, ...cells]) => named(kinds!).map((kind): [string, string] => [kind, cells[i]!]));
    return [named(codings), new Map(said)];
  });
})();

const kinds = opKinds.filter((kind) => networkOfKind(kind) !== undefined);

describe('every coding carries every op of an ANN as plain loops do, or refuses it by name', () => {
  for (const kind of kinds) {
    it(kind, () => {
      const network = networkOfKind(kind)!;
      const carried = conversionCodings.filter((coding) => isCarried(network, coding));
      // docs/neurons.md says the same
      for (const [names, said] of columns) {
        for (const coding of names) {
          expect([coding, said.get(kind)]).toEqual([
            coding,
            carried.some((one) => one === coding) ? 'exactly as its equations say' : 'refused',
          ]);
        }
      }
    });
  }

  it('and the table of docs/neurons.md has all of them', () => {
    expect(columns.flatMap(([names]) => names).toSorted()).toEqual([...conversionCodings].toSorted());
    for (const [, said] of columns) expect([...said.keys()].toSorted()).toEqual(kinds.toSorted());
    expect(kinds.length).toBeGreaterThan(25);
  });

  it('what another coding would carry is said with the refusal', () => {
    const helpOf = (kind: OpKind, coding: ConversionCoding): string | undefined =>
      convertedBy(networkOfKind(kind)!, coding).diagnostics[0]?.help;
    expect(helpOf('pad', 'sws')).toContain('choose a coding whose trains are means');
    expect(helpOf('channel_conv', 'sws')).not.toContain('choose a coding');
    expect(helpOf('mul', 'ttfs_dynamic')).toContain('--coding sws');
  });
});
