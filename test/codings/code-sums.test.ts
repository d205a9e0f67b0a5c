import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { engineNamed } from '../../src/engines/index.js';
import { integerRanges } from '../../src/engines/bytes/ranges.js';
import { findIntegerSynapses } from '../../src/engines/bytes/synapses.js';
import { prepare } from '../../src/engines/fused/stages.js';
import { lower } from '../../src/lower/program/index.js';
import { evaluate, simplify } from '../../src/tensor/index.js';
import { Findings } from '../../src/workspace/findings.js';
import { openTarget } from '../../src/workspace/open.js';
import { random } from '../tensor/cases.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyQuantised } from '../support/tiny-onnx.js';

it.each([
  ['binary', 6],
  ['mbif', 2],
  ['rate', 12],
  ['signed', 7],
] as const)(
  'quantised weights on spikes of %s are integer products behind the first layer, alike in every engine',
  async (coding, steps) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'net.onnx'), tinyQuantised());
    const outDir = join(folder, 'out');
    const { value } = await driver.convertOnnx(join(folder, 'net.onnx'), { coding, steps, outDir, verify: false });
    expect(value).toBeDefined();
    const { network } = openTarget({ path: outDir }, {}, new Findings()).compiled({ planes: false });
    const program = simplify(lower(network).program);
    const { ops, constants } = prepare(program);
    const products = ops.filter(
      ({ kind, inputs }) => kind === 'conv2d' || (kind === 'matmul' && constants.has(inputs[1]!)),
    );
    const integers = findIntegerSynapses({ ...program, ops }, constants, true);
    expect(products.length).toBeGreaterThan(1);
    const ranges = integerRanges({ ...program, ops }, constants);
    const real = products.filter(({ id, inputs }) => !integers.has(id) && !ranges.has(inputs[0]!));
    // the image comes as real values
    expect(real.map(({ inputs }) => inputs[0])).toEqual([program.inputs[0]!.id]);
    const [input] = program.inputs;
    const shape = [5, ...(input!.shape.slice(1) as number[])];
    const next = random(7);
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => next());
    const feeds = { [input!.id]: { dtype: 'f32', shape, data } } as const;
    const expected = evaluate(program, feeds)['0']!.data;
    for (const engine of ['fused', 'onnxruntime']) {
      const opened = await engineNamed(engine)!.open(program);
      const given = (await opened.step(feeds))['0']!.data;
      await opened.dispose();
      // means over many steps are added up in another order
      const equal = (a: number, b: number): boolean => (steps > 6 ? Math.abs(a - b) < 1e-5 : a === b);
      expect(
        [...expected].every((v, i) => equal(v, given[i]!)),
        engine,
      ).toBe(true);
    }
  },
);
