import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BackendRow, backendRows, backendsPage } from '../../docs/backends-table.js';
import { type LayerNetworks, allLayerNetworks } from '../../docs/layer-networks.js';
import { networkOfWord, wordCases } from '../../docs/layer-words.js';
import { emitC } from '../../src/backends/c/index.js';
import { exportNir } from '../../src/backends/nir/index.js';
import { emitOnnx } from '../../src/backends/onnx/index.js';
import { layeredModel, loweredModel } from '../../src/backends/torch/index.js';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import { DiagnosticError } from '../../src/base/diagnostics/index.js';
import { encodeSafetensors } from '../../src/base/safetensors.js';
import { encodeNir, loadNir, readNir } from '../../src/data/nir.js';
import { diffNetworks } from '../../src/diff/index.js';
import { type Engine, openOnnxSource } from '../../src/engines/index.js';
import { fusedEngine } from '../../src/engines/fused/index.js';
import { onnxruntimeEngine } from '../../src/engines/onnxruntime.js';
import { tfjsEngine } from '../../src/engines/tfjs.js';
import { importOnnx } from '../../src/frontends/onnx/index.js';
import { importNir } from '../../src/frontends/nir/index.js';
import { lower } from '../../src/lower/program/index.js';
import { layerTable } from '../../src/model/layers/index.js';
import { type Network, networkOfText, opKinds, paramsToTensors, printNetwork } from '../../src/network/index.js';
import { boxLines } from '../../src/report/graph/draw.js';
import { groupNames, groupOf } from '../../src/report/graph/groups.js';
import { type Program, concreteShape, evaluate, simplify, verified } from '../../src/tensor/index.js';
import { onnxCases, onnxFile } from '../../src/testing/onnx-cases.js';
import { hasGcc, runC } from '../support/c-compiler.js';
import { shapeOf } from '../support/c-network.js';
import { nativeEngines } from '../support/native.js';
import { hasTorch, readTensors, runPython, writeTensors } from '../support/pytorch.js';
import { seeded } from '../support/random-network.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tfjsBackends } from '../support/tfjs.js';
import { prefixed, together } from '../support/together.js';

/** What the table of docs/backends.md says of a kind is what happens to these networks. */
const all = allLayerNetworks();
const rows: ReadonlyMap<string, BackendRow> = new Map(backendRows(all).map((row) => [row.kind, row]));
const batch = 2;

interface Case {
  readonly kind: string;
  readonly form: keyof LayerNetworks;
  readonly network: Network;
  readonly program: Program;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly wanted: readonly number[];
}

function feedsOf(program: Program, n: number): Record<string, Tensor> {
  const next = seeded(23);
  return Object.fromEntries(
    program.inputs.map(({ id, shape }) => {
      const concrete = concreteShape(shape, n);
      const values = Array.from({ length: concrete.reduce((a, m) => a * m, 1) }, () => next() * 2 - 0.6);
      return [id, tensor('f32', concrete, values)];
    }),
  );
}

const values = (outputs: Readonly<Record<string, Tensor>>): number[] => [...outputs[0]!.data];

function caseOf(kind: string, form: keyof LayerNetworks, network: Network): Case {
  const program = simplify(lower(network).program);
  const feeds = feedsOf(program, batch);
  return { kind, form, network, program, feeds, wanted: values(evaluate(program, feeds)) };
}

const cases: readonly Case[] = [...all].flatMap(([kind, networks]) =>
  Object.entries(networks).map(([form, network]) => caseOf(kind, form as keyof LayerNetworks, network)),
);

/** Those that take a compiler or Python: of each kind one, and all with `SPIKEC_SLOW_TESTS=1`. */
const heavy = process.env['SPIKEC_SLOW_TESTS'] === '1' ? cases : cases.filter((one) => one === lastOf(one.kind));

function lastOf(kind: string): Case | undefined {
  return cases.findLast((one) => one.kind === kind);
}

function expectClose(found: ArrayLike<number>, wanted: readonly number[], tolerance = 1e-5): void {
  expect(found).toHaveLength(wanted.length);
  const greatest = Math.max(...wanted.map(Math.abs));
  const worst = Math.max(...wanted.map((value, i) => Math.abs(found[i]! - value)));
  expect(worst / greatest).toBeLessThan(tolerance);
}

async function onEngine(engine: Engine, { program, feeds, wanted }: Case): Promise<void> {
  const opened = await engine.open(program);
  try {
    expectClose(values(await opened.step(feeds)), wanted);
  } finally {
    await opened.dispose();
  }
}

beforeAll(loadNir);

it('the table has a row for each kind of layer, and docs/backends.md is what it says (npm run docs)', () => {
  expect([...rows.keys()]).toEqual(opKinds);
  const page = readFileSync(new URL('../../docs/backends.md', import.meta.url), 'utf8');
  expect(page).toBe(backendsPage(all));
});

it('the networks give something, different for the two samples', () => {
  const dull = cases.filter(({ wanted }) => {
    const half = wanted.length / batch;
    const isSame = wanted.slice(0, half).every((value, i) => value === wanted[half + i]);
    return isSame || !wanted.every(Number.isFinite);
  });
  expect(dull.map(({ kind, form }) => `${kind} ${form}`)).toEqual([]);
  expect(cases.length).toBeGreaterThan(2 * opKinds.length);
});

it('every word of the language is tried', () => {
  const words = Object.keys(wordCases).filter((word) => !word.includes(' '));
  expect(words).toEqual(Object.keys(layerTable));
  for (const [, line] of Object.values(wordCases)) expect(networkOfWord(line).outputs).toHaveLength(1);
});

describe.each(['fused', 'onnxruntime', 'tfjs-wasm', 'tfjs-cpu'])(
  '%s gives what the reference evaluator does',
  (name) => {
    const engine = [fusedEngine, onnxruntimeEngine, ...tfjsBackends.map(tfjsEngine)].find((one) => one.name === name)!;
    it.each(cases)('$kind $form', async (one) => {
      const { tfjs } = rows.get(one.kind)!;
      const refused =
        name.startsWith('tfjs') && (one.form === 'converted' || one.kind === 'digit') && tfjs.includes('float64');
      if (!refused) return onEngine(engine, one);
      const error = await engine.open(one.program).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(DiagnosticError);
      expect((error as DiagnosticError).diagnostics[0]!.code).toBe('engine/no-kernel');
    });
  },
);

describe.each(nativeEngines)('$name gives what the reference evaluator does', (engine) => {
  let found: Record<string, Tensor>;
  beforeAll(async () => {
    const program = together(heavy.map((one, i) => prefixed(one.program, `c${i}.`)));
    const feeds = heavy.flatMap((one, i) => Object.entries(one.feeds).map(([id, value]) => [`c${i}.${id}`, value]));
    const opened = await engine.open(verified(program, 'cases'));
    found = await opened.step(Object.fromEntries(feeds) as Record<string, Tensor>);
    await opened.dispose();
  });
  it.each(heavy.map((one, i) => ({ ...one, i })))('$kind $form', ({ i, program, wanted }) => {
    const [first] = Object.keys(program.outputs);
    expectClose(found[`c${i}.${first!}`]!.data, wanted);
  });
});

describe('an emitted ONNX file in onnxruntime, as it stands, gives what the reference evaluator does', () => {
  it.each(cases)('$kind $form', async ({ program, feeds, wanted }) => {
    const source = await openOnnxSource(emitOnnx(program));
    try {
      expectClose(Object.values(await source.run(feeds))[0]!.data, wanted);
    } finally {
      await source.dispose();
    }
  });
});

describe.skipIf(!hasGcc)(
  'emitted C gives what the reference evaluator does, in integers where the table says so',
  () => {
    const compiled = cases.filter(({ form }) => form === 'compiled' || form === 'converted');
    const tried = process.env['SPIKEC_SLOW_TESTS'] === '1' ? cases : compiled.filter((one) => heavy.includes(one));
    it.each(tried)(
      '$kind $form',
      ({ kind, form, network, program, wanted, feeds }) => {
        const { files, notes } = emitC({ network, program });
        const said = rows.get(kind)!.c;
        if (said === 'integers' && (form === 'compiled' || form === 'converted')) expect(notes).toEqual([]);
        if (said.startsWith('floating point')) expect(notes).toHaveLength(1);
        const each = program.inputs.map(({ id, shape }) => {
          const { data } = feeds[id]!;
          const size = concreteShape(shape, 1).reduce((a, n) => a * n, 1);
          return (k: number) => Float32Array.from(data.slice(k * size, (k + 1) * size));
        });
        const samples = Array.from({ length: batch }, (_, k) => each.map((of) => of(k)));
        expectClose(
          runC(files, shapeOf(program), samples).flatMap((one) => [...one]),
          wanted,
        );
      },
      240_000,
    );
  },
);

describe('NIR: a node where the table says so, and all of it comes back from a file with extensions', () => {
  it.each(cases)('$kind $form', ({ kind, form, network, wanted, feeds }) => {
    const path = join(temporaryFolder(), 'network.nir');
    writeFileSync(path, encodeNir(exportNir(network, 'nir', true).graph));
    const back = importNir(readNir(path), {}, { name: 'network', path }).network;
    const program = simplify(lower(back).program);
    const [given] = Object.values(feeds);
    expectClose(values(evaluate(program, { [program.inputs[0]!.id]: given! })), wanted);
    const node = rows.get(kind)!.nir;
    if (!/^[A-Z]/.test(node) || form !== 'trained') return;
    const types = exportNir(network, 'nir', true).nodes.map(({ type }) => type);
    expect(types).toContain(node.split(';')[0]);
  });
});

const layers = join(import.meta.dirname, '../../src/backends/torch/python/layers.py');

const run = `
import importlib.util, os, sys, torch
from safetensors.torch import load_file, save_file
sys.path.insert(0, ".")
found = {}
for name in sorted(os.listdir("cases")):
    folder = os.path.join("cases", name)
    spec = importlib.util.spec_from_file_location("model" + name, os.path.join(folder, "model.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.Network()
    network.load_state_dict(load_file(os.path.join(folder, "weights.safetensors")), strict=True)
    network.eval()
    with torch.no_grad():
        found[name] = network(*load_file(os.path.join(folder, "x.safetensors")).values()).contiguous()
save_file(found, "found.safetensors")
`;

it.skipIf(!hasTorch)(
  'an emitted PyTorch network gives what the reference evaluator does, as modules where the table says so',
  () => {
    const folder = temporaryFolder();
    copyFileSync(layers, join(folder, 'layers.py'));
    cases.forEach(({ kind, form, network, feeds }, i) => {
      const own = join(folder, 'cases', String(i));
      mkdirSync(own, { recursive: true });
      if (form === 'trained' && rows.get(kind)!.torch === 'module') {
        writeFileSync(join(own, 'model.py'), layeredModel(network).text);
        writeFileSync(join(own, 'weights.safetensors'), encodeSafetensors(paramsToTensors(network.params)));
      } else {
        const { text, weights } = loweredModel(network, lower(network));
        writeFileSync(join(own, 'model.py'), text);
        writeFileSync(join(own, 'weights.safetensors'), encodeSafetensors(weights));
      }
      writeTensors(own, 'x.safetensors', { x: Object.values(feeds)[0]! });
    });
    runPython(folder, ['-c', run]);
    const found = readTensors(readFileSync(join(folder, 'found.safetensors')));
    cases.forEach(({ kind, form, wanted }, i) => {
      const { data } = found.get(String(i))!;
      const greatest = Math.max(...wanted.map(Math.abs));
      const worst = Math.max(...wanted.map((value, k) => Math.abs(data[k]! - value)));
      expect(worst / greatest, `${kind} ${form}`).toBeLessThan(1e-5);
    });
  },
  120_000,
);

describe('the importer makes the layer of an ONNX operator where the table says so, with onnxruntime’s values', () => {
  it.each(opKinds.filter((kind) => typeof onnxCases[kind] !== 'string'))('%s', async (kind) => {
    const one = onnxCases[kind];
    if (typeof one === 'string') throw new TypeError(kind);
    const bytes = onnxFile(one);
    const { value } = importOnnx({ name: 'x.onnx', bytes });
    const { network } = value!;
    expect(network.ops.map((op) => op.kind)).toContain(kind);
    const program = simplify(lower(network).program);
    const feeds = feedsOf(program, batch);
    const source = await openOnnxSource(bytes);
    try {
      const isInteger = kind === 'embedding';
      const [name] = source.inputs.map((input) => input.name);
      const [x] = Object.values(feeds).map((feed) =>
        isInteger
          ? tensor(
              'f32',
              feed.shape,
              Array.from(feed.data, (_, i) => (i * 5) % 9),
            )
          : feed,
      );
      const wanted = Object.values(await source.run({ [name!]: x! }))[0]!.data;
      expectClose(values(evaluate(program, { [program.inputs[0]!.id]: x! })), [...wanted].map(Number));
    } finally {
      await source.dispose();
    }
  });
});

describe('the text of the IR, diff and report know the layer', () => {
  it.each(cases)('$kind $form', ({ kind, network, wanted, feeds }) => {
    const read = networkOfText({ name: 'network.ir', text: printNetwork(network) }, network.params);
    const program = simplify(lower(read).program);
    expect(values(evaluate(program, feeds))).toEqual(wanted);
    expect(diffNetworks(network, read)).toMatchObject({ added: [], removed: [], changed: [] });
    for (const op of network.ops.filter((other) => other.kind === kind)) {
      expect(Object.keys(groupNames)).toContain(groupOf(op));
      expect(boxLines(op)[0].length).toBeGreaterThan(0);
    }
  });
});
