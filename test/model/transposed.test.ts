import { expect, it } from 'vitest';
import { expectDiagnostics } from '../support/spike.js';
import { networkFrom } from '../support/train.js';

/** The network of `image | …`, an image of 3 channels, 5×6. */
function layersOf(layers: string) {
  return networkFrom(`
    network Up { input image: real[3, 5, 6]  output image | ${layers} | flatten | linear(2) }
    config up { network Up }`).ops;
}

it.each([
  ['transposed_conv(4)', [4, 10, 12], [2, 2], [0, 0, 0, 0]],
  ['transposed_conv(4, kernel: 4)', [4, 10, 12], [4, 4], [1, 1, 1, 1]],
  ['transposed_conv(4, kernel: 3)', [4, 10, 12], [3, 3], [0, 0, 1, 1]],
  ['transposed_conv(4, kernel: [3, 5], stride: [2, 3], pad: none)', [4, 11, 20], [3, 5], [0, 0, 0, 0]],
  ['transposed_conv(6, kernel: 3, stride: 1, groups: 3)', [6, 5, 6], [3, 3], [1, 1, 1, 1]],
  ['transposed_conv(4, kernel: 3, dilation: 2, pad: [1, 0, 2, 3])', [4, 10, 12], [3, 3], [1, 0, 2, 3]],
] as const)('%s: with `pad: same` an image is `stride` times as large', (layer, shape, kernel, pads) => {
  const up = layersOf(layer).find(({ kind }) => kind === 'transposed_conv')!;
  expect(up.type.shape).toEqual(shape);
  expect(up.attrs).toMatchObject({ kernel, pads, output_padding: [0, 0] });
  expect(Object.keys(up.params)).toEqual(['weight', 'bias']);
});

it('its bias goes where batch norm alone follows it', () => {
  const up = layersOf('transposed_conv(4) | batchnorm').find(({ kind }) => kind === 'transposed_conv')!;
  expect(Object.keys(up.params)).toEqual(['weight']);
});

it('what it can’t be is said where it stands', () => {
  expectDiagnostics(`
    network Wrong {
      input image: real[3, 5, 6]
      a = image | transposed_conv(4, kernel: 1) // error: model/argument-type
      b = image | transposed_conv(4, pad: 6) // error: model/argument-type // warning: model/unused
      c = image | flatten | transposed_conv(4) // error: model/shape // warning: model/unused
      d = image | transposed_conv(4, groups: 2) // error: model/shape // warning: model/unused
      e = image | deconv(4) // error: model/unknown-name // warning: model/unused
      output a
    }`);
});
