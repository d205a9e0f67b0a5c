import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import onnxProto from 'onnx-proto';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { Findings } from '../../src/workspace/findings.js';
import { bytesOf, importFile } from '../../src/workspace/target.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const { ModelProto } = onnxProto.onnx;
const values = [1, -2, 3, 4];

let folder: string;

/** A network of `count` convolutions one after the other whose weights all lie in one file. */
function network(location: string, count = 1): string {
  const b = new OnnxBuilder(13);
  let x = b.input('x', ['N', 2, 4, 4]);
  for (let i = 0; i < count; i++) {
    x = b.node('Conv', [x, b.constant(`w${i}`, { type: 'float', dims: [2, 2, 1, 1], values })]);
  }
  const model = ModelProto.decode(b.output(x).bytes());
  for (const tensor of model.graph!.initializer!) {
    delete tensor.rawData;
    tensor.dataLocation = 1;
    tensor.externalData = [{ key: 'location', value: location }];
  }
  const file = join(folder, 'inner', 'net.onnx');
  writeFileSync(file, ModelProto.encode(model).finish());
  return file;
}

const imported = (file: string) => importFile(file, new Findings());

function place(path: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), Buffer.from(Float32Array.from(values).buffer));
}

beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder, 'inner'));
});

it('external data are read once, however many tensors lie in them, by a link inside of the folder, too', () => {
  place('inner/data/w.bin');
  symlinkSync('data/w.bin', join(folder, 'inner/w.bin'));
  for (const location of ['data/w.bin', 'w.bin']) {
    const source = imported(network(location, 50));
    expect([...source.external.keys()]).toEqual([location]);
    expect(bytesOf(source)).toBe(source.bytes.length + 16);
    const params = [...source.imported.network.params.values()];
    expect(params.map(({ tensor }) => [...tensor.data])).toEqual(params.map(() => values));
  }
});

it('a link out of the folder is refused: of the file, of a folder on the way, over another link', () => {
  place('outer/w.bin');
  symlinkSync('../outer/w.bin', join(folder, 'inner/file.bin'));
  symlinkSync('../outer', join(folder, 'inner/folder'));
  symlinkSync('file.bin', join(folder, 'inner/twice.bin'));
  for (const location of ['file.bin', 'folder/w.bin', 'twice.bin']) {
    const file = network(location);
    const { message } = expectDiagnostic('onnx/external-path', () => imported(file));
    expect(message).toContain('a link leads out of the folder');
  }
});

it('a folder beside it whose name begins alike is outside, and where the network’s own folder is a link, inside is inside', () => {
  place('inner-secret/w.bin');
  symlinkSync('../inner-secret/w.bin', join(folder, 'inner/w.bin'));
  const file = network('w.bin');
  expectDiagnostic('onnx/external-path', () => imported(file));
  rmSync(join(folder, 'inner/w.bin'));
  place('inner/w.bin');
  symlinkSync('inner', join(folder, 'linked'));
  expect([...imported(join(folder, 'linked/net.onnx')).external.keys()]).toEqual(['w.bin']);
});

it('what is no file is missing: a folder, a link to nowhere, a link to itself, a device', () => {
  mkdirSync(join(folder, 'inner/folder'));
  symlinkSync('nowhere', join(folder, 'inner/nowhere.bin'));
  symlinkSync('loop.bin', join(folder, 'inner/loop.bin'));
  symlinkSync('/dev/zero', join(folder, 'inner/zero.bin'));
  for (const location of ['folder', 'nowhere.bin', 'loop.bin', 'zero.bin', 'none.bin']) {
    const file = network(location);
    expectDiagnostic('onnx/external-missing', () => imported(file));
  }
});
