import { expect, it } from 'vitest';
import { isSpan } from '../../src/base/source.js';
import { checkModel } from '../../src/model/index.js';
import { testLoader } from '../support/spike.js';

/** The one error of a network's body, with the text that its related places show. */
function errorOf(body: string): readonly [message: string, help: string | undefined, from: readonly string[]] {
  const text = `network N { ${body} }\nconfig c { network N }`;
  const { diagnostics } = checkModel({ name: 'model.spike', text }, testLoader());
  const [error, ...more] = diagnostics.filter(({ severity }) => severity === 'error');
  expect(more).toEqual([]);
  const from = (error!.related ?? []).map(({ place }) => (isSpan(place) ? text.slice(place.start, place.end) : ''));
  return [error!.message, error!.help as string | undefined, from];
}

it('a matrix product says which sizes differ, and whether the transposed second one would fit', () => {
  expect(errorOf('input x: real[16, 32]  k = x | linear(32)  output matmul(x, k)')).toEqual([
    '`matmul` joins shapes [16, 32] and [16, 32], which don’t fit: 32 columns against 16 rows'.replace('’', "'"),
    '`matmul(a, b, transpose: true)` multiplies by the second one transposed',
    ['input x: real[16, 32]', 'linear(32)'],
  ]);
  const [transposed, help] = errorOf(
    'input x: real[16, 32]  k = x | permute([1, 0])  output matmul(x, k, transpose: true)',
  );
  expect(transposed).toContain('32 columns against 16 columns, transposed');
  expect(help).toBe('without `transpose` they fit');
  expect(errorOf('input x: real[16, 32]  k = x | linear(24)  output matmul(x, k, transpose: true)')[1]).toBeUndefined();
  expect(errorOf('input x: real[2, 4, 4]  y = x | slice(0, 1)  output matmul(x, y)')[0]).toContain(
    '2 and 1 matrices on axis 0',
  );
  expect(errorOf('input x: real[4]  output matmul(x, x)')[0]).toContain('vectors; it takes matrices');
  expect(errorOf('input x: real[4, 4]  output matmul(x, x | flatten)')[0]).toContain('2 and 1 axes');
});

it('a skip of a U-Net whose pool rounded down: the sizes that differ, and the pad that mends it', () => {
  const body = (mended: string) => `input x: real[3, 15, 14]
    e = x | conv(8, kernel: 3)
    output concat(e | maxpool(2) | conv(16, kernel: 3) | upsample(2)${mended}, e)`;
  const [message, help, from] = errorOf(body(''));
  expect(message).toBe("`concat` joins shapes [16, 14, 14] and [8, 15, 14], which don't fit: 14 and 15 on axis 1");
  expect(help).toContain('put `pad([0, 0, 1, 0])` behind the first, `slice` the second');
  expect(from).toEqual(['upsample(2)', 'conv(8, kernel: 3)']);
  const text = `network N { ${body(' | pad([0, 0, 1, 0])')} }\nconfig c { network N }`;
  expect(checkModel({ name: 'model.spike', text }, testLoader()).diagnostics).toEqual([]);
});

it('a sum of other channels: a convolution that gives as many', () => {
  const [message, help] = errorOf('input x: real[3, 8, 8]  output (x | conv(8, kernel: 3)) + x');
  expect(message).toContain('8 and 3 on axis 0');
  expect(help).toContain('`conv(8, kernel: 1)`');
  const flat = errorOf('input x: real[3, 8, 8]  output x + (x | flatten)');
  expect(flat[0]).toContain('3 axes against one axis');
  expect(flat[1]).toContain('`flatten`');
});

it('an axis that there isn’t says whose shape it is, too', () => {
  const [message, , from] = errorOf('input x: real[16, 32]  output x | linear(8) | mean(axis: 2)');
  expect(message).toBe('`axis` of `mean` must be an axis of [16, 8], 0 … 1, not 2');
  expect(from).toEqual(['linear(8)']);
  expect(errorOf('input x: real[16, 32]  output x | linear(8) | permute([0])')[2]).toEqual(['linear(8)']);
});
