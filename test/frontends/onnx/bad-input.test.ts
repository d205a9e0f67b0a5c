import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkExternalLocation, importOnnx } from '../../../src/frontends/onnx/index.js';
import { OnnxBuilder, rawBytes } from '../../../src/testing/onnx-builder.js';
import { codes, compareWithOnnxruntime, imported, randomFloats, refused } from './harness.js';

function model(
  make: (b: OnnxBuilder) => string | void,
  dims: readonly (number | string)[] = ['N', 2, 4, 4],
  opset = 13,
): Uint8Array {
  // one opset only, the file's last field: a cut anywhere is then visible
  const builder = new OnnxBuilder(opset, opset === 13 ? {} : undefined);
  builder.input('x', dims);
  const output = make(builder);
  if (typeof output === 'string') builder.output(output);
  return builder.bytes();
}

/** A network with most kinds of nodes: what truncations and flips are tried on. */
function rich(): Uint8Array {
  return model((b) => {
    const w = b.constant('w', {
      type: 'int8',
      dims: [2, 2, 3, 3],
      values: Array.from({ length: 36 }, (_, i) => i - 18),
    });
    const wdq = b.node('DequantizeLinear', [w, b.floats('ws', [2], [0.1, 0.2])], { axis: 0 });
    const conv = b.node('Conv', [b.fakeQuant('x', 0.1, 100), wdq, b.floats('b', [2], [1, 2])], { pads: [1, 1, 1, 1] });
    const pool = b.node('MaxPool', [b.fakeQuant(b.node('Relu', [conv]), 0.2, 0)], {
      kernel_shape: [2, 2],
      strides: [2, 2],
    });
    const flat = b.node('Reshape', [pool, b.ints('shape', [0, -1])]);
    const logits = b.node('Gemm', [
      flat,
      b.constant('fw', { type: 'float', dims: [8, 3], values: randomFloats(1, 24), packed: true }),
    ]);
    return b.node('Softmax', [logits]);
  });
}

describe('files that are no models', () => {
  it('an empty file', () => {
    expect(codes(refused(new Uint8Array()))).toEqual(['onnx/empty-graph']);
  });

  it('text and random bytes', () => {
    const text = new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n');
    expect(codes(refused(text))).toEqual(['onnx/malformed-file']);
    expect(refused(text)[0]?.message).toContain('git lfs pull');
    expect(codes(refused(Uint8Array.from({ length: 1000 }, (_, i) => (i * 73 + 255) % 256)))).toEqual([
      'onnx/malformed-file',
    ]);
  });

  it('a file of another kind is named by its ending', () => {
    const helpFor = (name: string): string | undefined =>
      importOnnx({ name, bytes: Uint8Array.from([0xff, 0xff, 0xff]) }).diagnostics[0]?.help;
    expect(helpFor('net.spike')).toMatch(/model file/);
    expect(helpFor('net.pt')).toMatch(/torch\.onnx\.export/);
    expect(helpFor('net.h5')).toMatch(/tf2onnx/);
    expect(helpFor('net.onnx')).toBeUndefined();
  });

  it('a truncated file, anywhere, gives a diagnostic', () => {
    const bytes = rich();
    imported(bytes);
    let malformed = 0;
    for (let length = 0; length < bytes.length; length += 7) {
      const { value, diagnostics } = importOnnx({ name: 'cut.onnx', bytes: bytes.subarray(0, length) });
      expect(value, `cut at ${length}`).toBeUndefined();
      if (codes(diagnostics).includes('onnx/malformed-file')) malformed++;
    }
    expect(malformed).toBeGreaterThan((0.8 * bytes.length) / 7);
    const half = bytes.subarray(0, bytes.length / 2);
    expect(refused(half)[0]!.message).toMatch(
      new RegExp(`it ends early, at byte ${half.length}: what begins at byte \\d+ has \\d+ bytes$`),
    );
  });

  it('property: flipped bytes give a network or diagnostics, never an exception', () => {
    const bytes = rich();
    const flip = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(flip, { minLength: 1, maxLength: 6 }), (flips) => {
        const damaged = bytes.slice();
        for (const [at, value] of flips) damaged[at] = value;
        const { value, diagnostics } = importOnnx({ name: 'flipped.onnx', bytes: damaged });
        expect(value !== undefined || diagnostics.some((d) => d.severity === 'error')).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('property: any bytes give diagnostics', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const { value, diagnostics } = importOnnx({ name: 'noise.onnx', bytes });
        expect(value).toBeUndefined();
        expect(diagnostics.length).toBeGreaterThan(0);
      }),
      { numRuns: 2000 },
    );
  });

  it('deeply nested subgraphs are not entered', () => {
    let nested: Uint8Array = new Uint8Array();
    for (let depth = 0; depth < 3000; depth++) {
      // attribute { g: graph { node { attribute … } } }
      nested = field(6, field(1, field(5, nested)));
    }
    const bytes = join(
      field(8, Uint8Array.of(16, 13)),
      field(
        7,
        join(
          field(1, join(field(4, text('If')), field(2, text('y')), field(5, nested))),
          field(11, field(1, text('x'))),
          field(12, field(1, text('y'))),
        ),
      ),
    );
    expect(codes(refused(bytes))).toContain('onnx/data-type');
  });
});

describe('graphs that make no sense', () => {
  it('no nodes', () => {
    expect(codes(refused(model(() => 'x')))).toContain('onnx/empty-graph');
  });

  it('no output', () => {
    expect(codes(refused(model((b) => void b.node('Relu', ['x']))))).toEqual(['onnx/no-output']);
  });

  it('no input', () => {
    const none = new OnnxBuilder().output('y');
    none.node('Relu', [none.floats('c', [1], [1])], {}, { output: 'y' });
    expect(codes(refused(none.bytes()))).toEqual(['onnx/no-input']);
  });

  it('initialisers among the inputs, as old files have them, are not counted', () => {
    const bytes = model((b) => {
      b.input('w', [2, 2, 1, 1]);
      return b.node('Conv', ['x', b.floats('w', [2, 2, 1, 1], [1, 2, 3, 4])]);
    });
    expect(imported(bytes).network.ops.map((op) => op.kind)).toEqual(['input', 'conv']);
  });

  it('a cycle, with the nodes on it', () => {
    const bytes = model((b) => {
      const first = b.node('Add', ['x', 'back'], {}, { name: 'first' });
      b.node('Relu', [first], {}, { output: 'back', name: 'second' });
      return b.node('Relu', [first]);
    });
    const [problem] = refused(bytes);
    expect(problem).toMatchObject({ code: 'onnx/cyclic-graph' });
    expect(problem!.message).toContain('"first"');
    expect(problem!.message).toContain('"second"');
  });

  it('missing initialisers, all of them at once', () => {
    const bytes = model((b) => b.node('Conv', ['x', 'gone', 'lost']));
    const problems = refused(bytes);
    expect(codes(problems)).toEqual(['onnx/unknown-tensor', 'onnx/unknown-tensor']);
    expect(problems.map((d) => d.message).join()).toMatch(/gone.*lost/);
    expect(codes(refused(model((b) => (b.node('Relu', ['x']), 'nothing'))))).toEqual(['onnx/unknown-tensor']);
  });

  it('a tensor written twice', () => {
    const bytes = model((b) => {
      b.node('Relu', ['x'], {}, { output: 'y' });
      return b.node('Relu', ['x'], {}, { output: 'y' });
    });
    expect(codes(refused(bytes))).toEqual(['onnx/duplicate-tensor']);
  });

  it('several unsupported ops in one run, each with its node, and a likely slip', () => {
    const bytes = model((b) => {
      const a = b.node('LpNormalization', ['x'], {}, { name: 'act' });
      const c = b.node('GlobalAvragePool', ['x'], {}, { name: 'pool' });
      const d = b.node('NhwcFusedConv', ['x'], {}, { name: 'conv', domain: 'com.microsoft' });
      return b.node('Sum', [b.node('Add', [a, c]), d]);
    });
    const problems = refused(bytes);
    expect(codes(problems)).toEqual(['onnx/unsupported-op', 'onnx/unsupported-op', 'onnx/unsupported-op']);
    expect(problems[0]).toMatchObject({
      message: 'the operator LpNormalization is not supported',
      place: { file: 'bad.onnx', detail: 'node "act" (LpNormalization)' },
    });
    expect(problems[0]!.help).toContain('LayerNormalization');
    expect(problems[1]!.help).toBe('did you mean "GlobalAveragePool"?');
    expect(problems[2]!.message).toContain('com.microsoft.NhwcFusedConv');
  });

  it('nodes behind an unsupported one stay silent', () => {
    const bytes = model((b) =>
      b.node('Conv', [b.node('LpNormalization', ['x']), b.floats('w', [1, 1, 9, 9], Array<number>(81).fill(1))]),
    );
    expect(codes(refused(bytes))).toEqual(['onnx/unsupported-op']);
  });

  it('the wrong number of inputs, or attributes of the wrong length', () => {
    expect(codes(refused(model((b) => b.node('Relu', ['x', 'x']))))).toEqual(['onnx/arity']);
    const pads = model((b) => b.node('MaxPool', ['x'], { kernel_shape: [2, 2], pads: [1, 1] }));
    expect(codes(refused(pads))).toEqual(['onnx/bad-attribute']);
    const strides = model((b) => b.node('MaxPool', ['x'], { kernel_shape: [2, 2], strides: [0, 1] }));
    expect(codes(refused(strides))).toEqual(['onnx/bad-attribute']);
    const none = model((b) => b.node('MaxPool', ['x']));
    expect(codes(refused(none))).toEqual(['onnx/bad-attribute']);
  });

  it('opsets outside 7 to 25', () => {
    expect(codes(refused(model((b) => b.node('Relu', ['x']), undefined, 6)))).toEqual(['onnx/opset']);
    expect(codes(refused(model((b) => b.node('Relu', ['x']), undefined, 26)))).toEqual(['onnx/opset']);
    for (const opset of [7, 11, 17, 25]) imported(model((b) => b.node('Relu', ['x']), undefined, opset));
  });
});

describe('types and sizes', () => {
  it('an input of a type that no network takes', () => {
    const builder = new OnnxBuilder();
    builder.input('x', ['N', 4], 'uint16');
    builder.output(builder.node('Relu', ['x']));
    const [problem] = refused(builder.bytes());
    expect(problem).toMatchObject({ code: 'onnx/data-type' });
    expect(problem!.message).toContain('uint16');
  });

  it('bfloat16 weights', () => {
    const bytes = model((b) => {
      b.graph.initializer.push({ name: 'w', dataType: 16, dims: [1, 2, 1, 1], rawData: new Uint8Array(4) });
      return b.node('Conv', ['x', 'w']);
    });
    const [problem] = refused(bytes);
    expect(problem).toMatchObject({ code: 'onnx/data-type', help: expect.stringContaining('float32') });
  });

  it('sizes that are not fixed, by the name of their axis', () => {
    const [problem] = refused(model((b) => b.node('Relu', ['x']), ['N', 3, 'height', 'width']));
    expect(problem).toMatchObject({ code: 'onnx/input-shape' });
    expect(problem!.message).toContain('axis 2 (height)');
    expect(codes(refused(model((b) => b.node('Relu', ['x']), ['N', 3, 0, 4])))).toEqual(['onnx/input-shape']);
  });

  it('a billion elements, as input, as weight, as result', () => {
    expect(codes(refused(model((b) => b.node('Relu', ['x']), ['N', 1000, 1000, 1000])))).toEqual(['onnx/too-large']);
    const weight = model((b) =>
      b.node('Conv', ['x', b.constant('w', { type: 'float', dims: [1e9, 1e9, 1, 1], values: [] })]),
    );
    expect(codes(refused(weight))).toEqual(['onnx/too-large']);
    const padded = model((b) => b.node('Pad', ['x', b.ints('p', [0, 0, 0, 0, 0, 0, 1e6, 1e6])]));
    expect(codes(refused(padded))).toEqual(['onnx/too-large']);
    const negative = model((b) =>
      b.node('Conv', ['x', b.constant('w', { type: 'float', dims: [-1, 2, 1, 1], values: [] })]),
    );
    expect(codes(refused(negative))).toEqual(['onnx/too-large']);
  });

  it('contents that are too short for the shape, in bytes and in values', () => {
    const raw = model((b) => b.node('Conv', ['x', b.floats('w', [2, 2, 1, 1], [1, 2, 3])]));
    const [problem] = refused(raw);
    expect(problem).toMatchObject({ code: 'onnx/tensor-size' });
    expect(problem!.message).toContain('needs 16 bytes, the file holds 12');
    const packed = model((b) =>
      b.node('Conv', ['x', b.constant('w', { type: 'float', dims: [2, 2, 1, 1], values: [1], packed: true })]),
    );
    expect(codes(refused(packed))).toEqual(['onnx/tensor-size']);
  });

  it('weights that are NaN or infinite, with their index', () => {
    for (const value of [NaN, Infinity]) {
      const [problem] = refused(model((b) => b.node('Conv', ['x', b.floats('w', [1, 2, 1, 1], [1, value])])));
      expect(problem).toMatchObject({ code: 'onnx/not-finite' });
      expect(problem!.message).toContain('at index 1');
    }
  });

  it('channels that do not fit, with both shapes', () => {
    const [problem] = refused(model((b) => b.node('Conv', ['x', b.floats('w', [1, 3, 1, 1], [1, 2, 3])])));
    expect(problem).toMatchObject({ code: 'onnx/shape-mismatch' });
    expect(problem!.message).toContain('[1, 3, 1, 1]');
    expect(problem!.message).toContain('[N, 2, 4, 4]');
  });

  it('a window larger than the image', () => {
    expect(codes(refused(model((b) => b.node('MaxPool', ['x'], { kernel_shape: [9, 9] }))))).toEqual([
      'onnx/shape-mismatch',
    ]);
  });

  it('weights that depend on the input', () => {
    const bytes = model((b) => b.node('Conv', ['x', b.node('Relu', ['x'])]));
    expect(codes(refused(bytes))).toEqual(['onnx/not-constant']);
  });
});

describe('external data', () => {
  const values = [0.5, -1, 2, 3];
  const file = rawBytes('float', [9, ...values, 9]);

  function external(entries: Readonly<Record<string, string>>): Uint8Array {
    return model((b) => {
      const name = b.constant('w', { type: 'float', dims: [2, 2, 1, 1], values: [] });
      const tensor = b.graph.initializer[0] as Record<string, unknown>;
      delete tensor['rawData'];
      tensor['dataLocation'] = 1;
      tensor['externalData'] = Object.entries(entries).map(([key, value]) => ({ key, value }));
      return b.node('Conv', ['x', name]);
    });
  }

  it('is read from the place the model names', () => {
    const asked: string[] = [];
    const readExternal = (path: string): Uint8Array => (asked.push(path), file);
    const bytes = external({ location: 'data/weights.bin', offset: '4', length: '16' });
    const { network } = imported(bytes, 'net.onnx', { readExternal });
    expect(asked).toEqual(['data/weights.bin']);
    expect([...[...network.params.values()][0]!.tensor.data]).toEqual(values);
  });

  it.each([
    '/etc/passwd',
    '../secret',
    'a/../../b',
    '..\\secret',
    'C:\\weights',
    'C:weights',
    '\\\\host\\share',
    'file:///etc/passwd',
    '',
    'a\0b',
  ])('location %j is never opened', (location) => {
    expect(checkExternalLocation(location)).toBeDefined();
    const readExternal = (): never => expect.fail('the file was opened');
    expect(codes(refused(external({ location }), { readExternal }))).toEqual(['onnx/external-path']);
  });

  it.each(['weights.bin', './weights.bin', 'sub/weights.bin', 'a..b', 'net.onnx.data'])(
    'location %j is inside',
    (location) => {
      expect(checkExternalLocation(location)).toBeUndefined();
    },
  );

  it('is missing', () => {
    expect(codes(refused(external({ location: 'weights.bin' }), { readExternal: () => undefined }))).toEqual([
      'onnx/external-missing',
    ]);
    expect(codes(refused(external({ location: 'weights.bin' })))).toEqual(['onnx/external-missing']);
  });

  it.each([
    { offset: '12', length: '16' },
    { offset: '-4', length: '16' },
    { offset: '1e9', length: '16' },
    { offset: 'x', length: '16' },
    { offset: '0', length: '-1' },
  ])('is out of range: %j', (range) => {
    const bytes = external({ location: 'weights.bin', ...range });
    expect(codes(refused(bytes, { readExternal: () => file }))).toEqual(['onnx/external-range']);
  });

  it('has another length than the tensor', () => {
    const bytes = external({ location: 'weights.bin', length: '12' });
    expect(codes(refused(bytes, { readExternal: () => file }))).toEqual(['onnx/tensor-size']);
  });
});

it('the rich network agrees with onnxruntime', async () => {
  const { compared } = await compareWithOnnxruntime(rich(), randomFloats(3, 32, 2));
  expect(compared).toBe(7);
});

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** A length-delimited protobuf field. */
function field(number: number, content: Uint8Array): Uint8Array {
  const length: number[] = [];
  let rest = content.length;
  do {
    length.push((rest & 127) | (rest > 127 ? 128 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return join(Uint8Array.of((number << 3) | 2, ...length), content);
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
