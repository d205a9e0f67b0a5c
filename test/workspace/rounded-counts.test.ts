import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { emitC } from '../../src/backends/c/index.js';
import { exportNir } from '../../src/backends/nir/index.js';
import { encodeNir, loadNir } from '../../src/data/nir.js';
import { lower } from '../../src/lower/program/index.js';
import { type Network, printNetwork, paramsToTensors } from '../../src/network/index.js';
import { encodeSafetensors } from '../../src/base/safetensors.js';
import { withWeightBits } from '../../src/passes/index.js';
import { simplify } from '../../src/tensor/index.js';
import { forInference } from '../../src/workspace/compiled.js';
import { Findings } from '../../src/workspace/findings.js';
import { openTarget } from '../../src/workspace/open.js';
import { temporaryFolder } from '../support/temporary-folder.js';

beforeAll(loadNir);

const attention = `
  network N {
    input x: real[4, 8]
    q = x | linear(64) | spike
    k = x | linear(64) | spike
    output matmul(q, k, transpose: true) | flatten | linear(3)
  }`;
const config = (neuron: string): string => `config c { network N  neuron ${neuron}  coding direct(steps: 1) }`;

/** What opening a target says beside many planes. */
function saidOf(path: string): readonly string[] {
  const findings = new Findings();
  const { network } = openTarget({ path }, {}, findings);
  expect(network.ops.length).toBeGreaterThan(3);
  return findings.all.map(({ code, message }) => `${code}: ${message}`).filter((text) => text.includes('counts'));
}

function written(body: string, neuron: string): { readonly path: string; readonly network: Network } {
  const path = join(temporaryFolder(), 'net.spike');
  writeFileSync(path, `use "spikec/neurons" { ILIF, Refined, LIF }\n${body}\n${config(neuron)}`);
  return { path, network: openTarget({ path }, {}, new Findings()).network };
}

const beyond =
  'network/counts-rounded: counts of matmul %output.matmul may reach 274,869,518,400; float32 rounds beyond 2²⁴';

it('counts beyond 2²⁴ (here 2³¹, too) are said of a model file, of its folder, its text and its NIR file', () => {
  const { path, network } = written(attention, 'ILIF(D: 65535)');
  expect(saidOf(path)).toEqual([beyond]);
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'network.ir'), printNetwork(network));
  writeFileSync(join(folder, 'weights.safetensors'), encodeSafetensors(paramsToTensors(network.params)));
  expect(saidOf(folder)).toEqual([beyond]);
  expect(saidOf(join(folder, 'network.ir'))).toEqual([beyond]);
  const nir = join(folder, 'net.nir');
  writeFileSync(nir, encodeNir(exportNir(network, 'nir', true).graph));
  expect(saidOf(nir)).toEqual([beyond]);
  expect(saidOf(written(attention, 'ILIF(D: 255)').path)).toEqual([]);
});

it('means of trains count what they add up', () => {
  const body = 'network N { input x: real[2, 20, 20]  output x | spike | global_avgpool | flatten | linear(3) }';
  expect(saidOf(written(body, 'ILIF(D: 65535)').path)).toEqual([
    'network/counts-rounded: counts of globalavgpool %output.global_avgpool may reach 26,214,000; float32 rounds beyond 2²⁴',
  ]);
  expect(saidOf(written(body, 'ILIF(D: 4095)').path)).toEqual([]);
});

it('C whose sums would leave 2³¹ is in floating point, and says where', () => {
  const body =
    'network N { input x: real[2, 6, 6]  output x | spike | conv(3, kernel: 3) | spike | flatten | linear(3) }';
  const noteOf = (levels: number, bits: number): readonly string[] => {
    const { network } = written(body, `ILIF(D: ${levels})`);
    const inference = withWeightBits(forInference(network, new Findings()).network, () => bits);
    return emitC({ network: inference, program: simplify(lower(inference).program) }).notes;
  };
  // 2 · 9 weights of up to 2¹⁵ times 2¹⁴
  expect(noteOf(32767, 16)).toEqual(['C in floating point: %output.spike_2: its sums don’t fit 32 bits']);
  expect(noteOf(255, 8)).toEqual([]);
});
