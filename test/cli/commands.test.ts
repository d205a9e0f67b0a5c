import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { DiagnosticError, diagnostic } from '../../src/base/diagnostics/index.js';
import { InvariantError } from '../../src/base/invariant.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { spikec } from './fake.js';
import type { CompileOptions } from '../../src/commands/compile.js';
import type { CompileResult } from '../../src/commands/summary.js';
import type { ConvertOptions } from '../../src/commands/convert.js';
import type { CostResult } from '../../src/commands/cost.js';
import type { EvalOptions, EvalResult } from '../../src/run/types.js';
import type { Target } from '../../src/workspace/types.js';

const error = diagnostic('file/missing', { path: 'x.spike' });

const compiled: CompileResult = {
  name: 'lenet5',
  files: ['network.ir'],
  outDir: 'build/lenet5',
  ops: 23,
  parameters: 61_706,
  latency_steps: 18,
  notes: ['softmax dropped'],
  passes: [{ pass: 'canonicalise', milliseconds: 1.5 }],
};

const evaluated: EvalResult = {
  samples: 100,
  accuracy: 0.99,
  source: { accuracy: 0.98, agreement: 1 },
  spikes_per_neuron: 1.25,
  opf: 123_456.7,
  latency_steps: 18,
  seconds: 2,
  engine: 'fused',
};

const cost: CostResult = {
  layers: [
    {
      id: 'conv1',
      kind: 'conv',
      input: 'spikes',
      macs: 1000,
      params: 60,
      weight_bits: 8,
      spike_bits: 1,
      steps: 8,
      bit_budget: 64,
      s_ace: 64_000,
      s_ace_squeezed: 64_000,
      size_bytes: 60,
      real_macs: 0,
      ann_bits: 4,
    },
  ],
  total: {
    macs: 1000,
    params: 60,
    bit_budget: 64,
    s_ace: 64_000,
    s_ace_squeezed: 64_000,
    s_ace_spikes: 64_000,
    size_bytes: 60,
    latency_steps: 18,
    real_macs: 0,
    weight_bits: 8,
    spike_bits: 1,
    steps: 8,
    largest_spike: 1,
  },
  hardware: { e_mac: 4.6, e_ac: 0.9 },
  ann: { macs: 1000, energy_pj: 4600, bits: 4, quantised_energy_pj: 3600 },
};

/** A folder with a data set of three 2×2 images. */
function tinyData(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'i'), Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, ...Array(12).fill(7)));
  writeFileSync(join(folder, 'l'), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 2));
  return `idx:${join(folder, 'i')},${join(folder, 'l')}`;
}

it('check goes through all files, reports all, and exits with 1 on errors', async () => {
  const ran = await spikec(['check', 'a.spike', 'x.spike', 'b.spike'], {
    checkFile: ({ path }) =>
      path === 'x.spike'
        ? { diagnostics: [error] }
        : { value: { configs: ['base', 'fast'], networks: ['N'], neurons: [] }, diagnostics: [] },
  });
  expect(ran.code).toBe(1);
  expect(ran.out).toBe('a.spike: ok, 1 network, 2 configs\nb.spike: ok, 1 network, 2 configs\n');
  expect(ran.err).toContain('error[file/missing]');
});

it('check --json prints one document with the diagnostics', async () => {
  const ran = await spikec(['check', 'x.spike', '--json'], { checkFile: () => ({ diagnostics: [error] }) });
  expect(JSON.parse(ran.out)).toEqual({
    ok: false,
    files: [{ file: 'x.spike', ok: false }],
    diagnostics: [{ code: 'file/missing', severity: 'error', message: 'there is no file "x.spike"' }],
  });
});

it('check takes configurations, and says of which it speaks', async () => {
  const asked: Target[] = [];
  const ran = await spikec(['check', 'a.spike#fast', 'a.spike', 'a.spike#no name'], {
    checkFile: (target) => {
      asked.push(target);
      return { value: { configs: ['fast'], networks: [], neurons: [] }, diagnostics: [] };
    },
  });
  expect(asked).toEqual([
    { path: 'a.spike', config: 'fast' },
    { path: 'a.spike' },
    { path: 'a.spike', config: 'no name' },
  ]);
  expect(ran.out).toBe('a.spike#fast: ok, 1 config\na.spike: ok, 1 config\na.spike#no name: ok, 1 config\n');
});

it('--quiet keeps errors and drops the rest', async () => {
  const value = { configs: [], networks: ['N'], neurons: [] };
  const ran = await spikec(['check', '-q', 'a.spike'], { checkFile: () => ({ value, diagnostics: [] }) });
  expect(ran).toEqual({ code: 0, out: '', err: '' });
  const bad = await spikec(['check', '-q', 'a.spike'], { checkFile: () => ({ diagnostics: [error] }) });
  expect(bad.err).toContain('error[file/missing]');
});

it('fmt rewrites what is not formatted; fmt --check only lists it and exits with 1', async () => {
  const path = join(temporaryFolder(), 'a.spike');
  writeFileSync(path, 'network  N{}');
  const formatFile = () => ({ value: { text: 'network N {}\n', changed: true }, diagnostics: [] });
  const checked = await spikec(['fmt', '--check', path], { formatFile });
  expect(checked).toEqual({ code: 1, out: `${path}\n`, err: '' });
  expect(readFileSync(path, 'utf8')).toBe('network  N{}');
  const written = await spikec(['fmt', path], { formatFile });
  expect(written.code).toBe(0);
  expect(readFileSync(path, 'utf8')).toBe('network N {}\n');
});

it('fmt leaves files with errors alone and exits with 1', async () => {
  const path = join(temporaryFolder(), 'a.spike');
  writeFileSync(path, 'network {');
  const ran = await spikec(['fmt', path], { formatFile: () => ({ diagnostics: [error] }) });
  expect(ran.code).toBe(1);
  expect(readFileSync(path, 'utf8')).toBe('network {');
});

it('compile hands over its options and says what was written', async () => {
  let seen: [Target, CompileOptions] | undefined;
  const ran = await spikec(['compile', 'dir/lenet5.spike#fast', '--emit', 'ir,onnx', '--time-passes'], {
    compileTarget: (target, options) => {
      seen = [target, options];
      return Promise.resolve({ value: compiled, diagnostics: [] });
    },
  });
  expect(seen?.[0]).toEqual({ path: 'dir/lenet5.spike', config: 'fast' });
  expect(seen?.[1]).toMatchObject({ emit: ['ir', 'onnx'], outDir: 'build/lenet5-fast', allowOutside: false });
  expect(ran).toEqual({
    code: 0,
    err: '',
    out: `      1.5 ms  canonicalise
lenet5: 23 layers, 61,706 parameters, latency 18 steps
  note: softmax dropped
  build/lenet5/network.ir
`,
  });
});

it.each([
  ['dir/net.spike', 'build/net'],
  ['dir/net.spike#fast', 'build/net-fast'],
  ['dir/net.nir', 'build/net'],
  ['dir/net.nir#steps=10,dt=1e-3', 'build/net'],
])('compile %s without -o writes to %s', async (target, outDir) => {
  let seen: CompileOptions | undefined;
  await spikec(['compile', target], {
    compileTarget: (_, options) => {
      seen = options;
      return Promise.resolve({ value: compiled, diagnostics: [] });
    },
  });
  expect(seen?.outDir).toBe(outDir);
});

it('--verify and --no-verify are handed over; without them the driver decides', async () => {
  const seen: unknown[] = [];
  const parts: Parameters<typeof spikec>[1] = {
    compileTarget: (_, options) => {
      seen.push(options.verify);
      return Promise.resolve({ value: compiled, diagnostics: [] });
    },
    convertOnnx: (_, options) => {
      seen.push(options.verify);
      return Promise.resolve({ value: { ...compiled, model: 'm' }, diagnostics: [] });
    },
    evaluateTarget: (_, options) => {
      seen.push(options.verify);
      return Promise.resolve({ value: evaluated, diagnostics: [] });
    },
  };
  for (const flags of [[], ['--verify'], ['--no-verify']]) {
    await spikec(['compile', 'a.spike', ...flags], parts);
    await spikec(['convert', 'a.onnx', ...flags], parts);
    await spikec(['eval', 'a.spike', '--data', tinyData(), ...flags], parts);
  }
  expect(seen).toEqual([undefined, undefined, undefined, 'full', 'full', 'full', false, false, false]);
});

it('--verify takes a level, and stands alone in front of a file; another word is no level', async () => {
  const seen: unknown[] = [];
  const convertOnnx = (file: string, options: ConvertOptions) => {
    seen.push([file, options.verify, options.strict]);
    return Promise.resolve({ value: { ...compiled, model: 'm' }, diagnostics: [] });
  };
  await spikec(['convert', '--verify', 'a.onnx'], { convertOnnx });
  await spikec(['convert', '--verify', 'sample', 'a.onnx', '--strict'], { convertOnnx });
  await spikec(['convert', 'a.onnx', '--verify', 'none'], { convertOnnx });
  expect(seen).toEqual([
    ['a.onnx', 'full', undefined],
    ['a.onnx', 'sample', true],
    ['a.onnx', 'none', undefined],
  ]);
  expect((await spikec(['convert', 'a.onnx', '--verify=most'], { convertOnnx })).code).toBe(2);
});

it('convert says in two lines what was verified of the import and what the finished network does', async () => {
  const check = {
    inputs: 'drawn',
    seed: 3,
    samples: 6,
    agreement: 0.5,
    codes: 4000,
    differing: 7,
    first: 'a',
    passed: false,
  };
  const convertOnnx = () =>
    Promise.resolve({
      value: { ...compiled, model: 'm', verified: { compared: 9, layers: 10 }, check },
      diagnostics: [],
    });
  const { out } = await spikec(['convert', 'a.onnx'], { convertOnnx } as Parameters<typeof spikec>[1]);
  expect(out).toContain('import: 9 of 10 layers give what onnxruntime gives\n');
  expect(out).toContain(
    'SNN: 3 of 6 predictions equal on inputs drawn with seed 3; 7 of 4,000 codes differ from %a on\n',
  );
});

it('of a network without layers of neurons convert says nothing of silent periods', async () => {
  const silence = { inputs: 'none', samples: 0, latency_steps: 8, proven_latency_steps: 8, layers: [] };
  const convertOnnx = () =>
    Promise.resolve({
      value: { ...compiled, model: 'm', verified: { compared: 1, layers: 1 }, silence },
      diagnostics: [],
    });
  const { out, code } = await spikec(['convert', 'a.onnx'], { convertOnnx } as Parameters<typeof spikec>[1]);
  expect(code).toBe(0);
  expect(out).toContain('import: 1 of 1 layers give what onnxruntime gives\n');
  expect(out).not.toContain('silent periods');
});

it('compile --print-after prints the IR and writes nothing unless told where', async () => {
  const outDirs: unknown[] = [];
  const compileTarget = (_: Target, options: CompileOptions) => {
    outDirs.push(options.outDir);
    options.onPrint?.('after schedule-time', 'network "n"\n');
    return Promise.resolve({ value: { ...compiled, files: [], notes: [] }, diagnostics: [] });
  };
  const ran = await spikec(['compile', 'a.spike', '--print-after', 'all', '-q'], { compileTarget });
  expect(ran.out).toBe('// after schedule-time\nnetwork "n"\n\n');
  await spikec(['compile', 'a.spike', '--stop-after', 'all', '-o', 'x'], { compileTarget });
  expect(outDirs).toEqual([undefined, 'x']);
});

it('compile --passes lists the passes without a file', async () => {
  const listPasses = () => [
    { name: 'canonicalise', doc: 'Removes identities.', options: [] },
    { name: 'cse', doc: 'Shares.', options: [] },
  ];
  const ran = await spikec(['compile', '--passes'], { listPasses });
  expect(ran.out).toBe('canonicalise  Removes identities.\ncse           Shares.\n');
  expect((await spikec(['compile'])).code).toBe(2);
});

it('convert hands over its options and says what to do next', async () => {
  let seen: ConvertOptions | undefined;
  const ran = await spikec(
    ['convert', 'nets/lenet5.onnx', '--coding', 'mbif', '--steps', '4', '--fraction', '2', '--calibrate', tinyData()],
    {
      convertOnnx: (_, options) => {
        seen = options;
        expect(options.calibrate?.read(0, 1).labels[0]).toBe(0);
        return Promise.resolve({ value: { ...compiled, model: 'lenet5/lenet5.spike' }, diagnostics: [] });
      },
    },
  );
  expect(seen).toMatchObject({ coding: 'mbif', steps: 4, fraction: 2, outDir: 'lenet5' });
  expect(ran.out).toContain('Next: spikec eval lenet5/lenet5.spike --data DATA');
});

it('eval opens the data, hands over its options and prints the figures', async () => {
  let seen: EvalOptions | undefined;
  const ran = await spikec(
    ['eval', 'a.spike', '--data', tinyData(), '--limit', '2', '--mean', '0.5', '--std', '0.25', '--stages'],
    {
      evaluateTarget: (_, options) => {
        seen = options;
        return Promise.resolve({ value: evaluated, diagnostics: [] });
      },
    },
  );
  expect(seen).toMatchObject({ limit: 2, normalisation: { mean: [0.5], std: [0.25] }, stages: true });
  expect(seen?.dataset.shape).toEqual([1, 2, 2]);
  expect(ran.out).toMatchInlineSnapshot(`
    "samples               100
    accuracy              99.00 %
    source accuracy       98.00 %
    agreement             100.00 %
    spikes per neuron     1.250
    operations per frame  123,457
    latency               18 steps
    time                  2.0 s (50 images/s)
    engine                fused
    "
  `);
});

it('eval --activity shows entropy, firing rate and the histogram of levels of each layer', async () => {
  const layer = (id: string, shares: readonly number[], step: number) => ({
    id,
    entropy: 1.5,
    firing_rate: 1 - shares[0]!,
    levels: shares.map((probability, i) => ({ value: i * step, probability })),
  });
  const sixteen = [0.5, 0.25, 0.25, 0, 1e-9, ...new Array<number>(11).fill(0)];
  const activity = [layer('a', [0.75, 0.25], 1), layer('b', [0.5, 0.25, 0.25, 0], 0.1), layer('c', sixteen, 0.1)];
  const ran = await spikec(['eval', 'a.spike', '--data', tinyData(), '--activity'], {
    evaluateTarget: () => Promise.resolve({ value: { ...evaluated, activity }, diagnostics: [] }),
  });
  expect(
    ran.out
      .split('\n\n')[1]!
      .split('\n')
      .map((line) => line.trimEnd()),
  ).toEqual([
    'layer  entropy, bits  firing rate  levels        share of each level, %',
    'a      1.500 of 1.00      25.00 %  0, 1          75.0 25.0',
    'b      1.500 of 2.00      50.00 %  0, 0.1 … 0.3  50.0 25.0 25.0 0.0',
    'c      1.500 of 4.00      50.00 %  0, 0.1 … 1.5  ▇▆▆ ▁',
    '',
  ]);
});

it('eval --json has the documented keys at the top', async () => {
  const ran = await spikec(['eval', 'a.spike', '--data', tinyData(), '--json'], {
    evaluateTarget: () => Promise.resolve({ value: evaluated, diagnostics: [] }),
  });
  expect(JSON.parse(ran.out)).toEqual({ ...evaluated, diagnostics: [] });
});

it('cost prints a row per layer and the total', async () => {
  const ran = await spikec(['cost', 'a.spike'], { costOf: () => Promise.resolve({ value: cost, diagnostics: [] }) });
  expect(ran.out).toMatchInlineSnapshot(`
    "layer  kind   MACs  params  W  S  T  budget   S-ACE  bytes
    conv1  conv  1,000      60  8  1  8      64  64,000     60
    total        1,000      60               64  64,000     60

    latency  18 steps
    W/S/T    8/1/8 on average
    ANN      4.600 nJ, with 4-bit activations at most 3.600 nJ
    "
  `);
  const json = await spikec(['cost', 'a.spike', '--json'], {
    costOf: () => Promise.resolve({ value: cost, diagnostics: [] }),
  });
  expect(JSON.parse(json.out)).toEqual({ ...cost, diagnostics: [] });
});

it('wrong input exits with 1, wrong usage and a missing data set with 2', async () => {
  const costOf = () => Promise.reject(new DiagnosticError([error]));
  expect((await spikec(['cost', 'a.spike'], { costOf })).code).toBe(1);
  const cases = [
    [],
    ['nonsense'],
    ['check'],
    ['check', 'a.spike', '--nonsense'],
    ['eval', 'a.spike'],
    ['eval', 'a.spike', '--data', 'mnist:tset'],
    ['eval', 'a.spike', '--data', 'cifar10:test', '--data-dir', temporaryFolder()],
    ['eval', 'a.spike', '--data', tinyData(), '--mean', '1,2'],
    ['eval', 'a.spike', '--data', tinyData(), '--limit', '0'],
    ['eval', 'a.spike', '--data', tinyData(), '--limit', '1e3'],
    ['cost', 'a.spike', '--limit', '5'],
    ['cost', 'a.spike', '--e-mac', '-1'],
    ['compile', 'a.spike', '--emit', 'ir,nonsense'],
    ['compile', 'a.spike#'],
    ['convert', 'a.onnx', '--coding', 'morse'],
    ['convert', 'a.onnx', '--beta', '1'],
    ['convert', 'a.onnx', '--beta', '3.1'],
    ['explain', 'no/such-code'],
  ];
  for (const args of cases) {
    const ran = await spikec(args);
    expect(`${args.join(' ')} → ${ran.code}`).toBe(`${args.join(' ')} → 2`);
    expect(ran.err).not.toContain('bug');
    expect(ran.err).not.toBe('');
    expect(ran.out).toBe('');
  }
});

it('a failing command with --json still prints one document', async () => {
  const costOf = () => Promise.resolve({ diagnostics: [error] });
  const ran = await spikec(['cost', 'a.spike', '--json'], { costOf });
  expect(ran.code).toBe(1);
  expect(JSON.parse(ran.out).diagnostics).toHaveLength(1);
});

it.each(['check', 'fmt', 'compile', 'convert', 'eval', 'cost', 'diff', 'explain'])(
  '%s --help shows an example',
  async (command) => {
    const ran = await spikec([command, '--help']);
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(new RegExp(`\\$ spikec ${command}`));
    expect(ran.out).toContain('--json');
    expect(ran.out).toContain('--quiet');
  },
);

it('spikec --help lists the commands, --version the version', async () => {
  const help = await spikec(['--help']);
  expect(help.code).toBe(0);
  const listed = [...help.out.matchAll(/^ {2}([a-z]+) [[<]/gm)].map((match) => match[1]);
  expect(listed).toEqual(expect.arrayContaining(['check', 'fmt', 'compile', 'convert', 'eval', 'cost', 'explain']));
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect((await spikec(['--version'])).out).toBe(`${version}\n`);
});

it.each([
  [new InvariantError('lower: op conv1 has no type\nmore'), 'spikec has a bug: lower: op conv1 has no type\n'],
  [new TypeError('x is undefined'), 'spikec has a bug: TypeError: x is undefined\n'],
])('our own mistake is one line and exit code 2; the stack comes with SPIKEC_DEBUG=1', async (mistake, line) => {
  const costOf = () => Promise.reject(mistake);
  const ran = await spikec(['cost', 'a.spike'], { costOf });
  expect(ran.code).toBe(2);
  expect(ran.err.startsWith(line)).toBe(true);
  expect(ran.err).not.toContain('    at ');
  vi.stubEnv('SPIKEC_DEBUG', '1');
  expect((await spikec(['cost', 'a.spike'], { costOf })).err).toContain('    at ');
  vi.unstubAllEnvs();
});

it('explain prints a page, lists all codes, and points out slips', async () => {
  const page = await spikec(['explain', 'data/set-not-found']);
  expect(page.code).toBe(0);
  expect(page.out).toMatch(/^## data\/set-not-found\n\n\*error\*\n\nA named data set/);
  const list = await spikec(['explain']);
  expect(list.out).toMatch(/^cli\/unknown-code +error$/m);
  expect((await spikec(['explain', 'data/set-not-foud'])).err).toContain('did you mean "data/set-not-found"?');
  expect((await spikec(['explain', 'set-not-found'])).err).toContain('did you mean "data/set-not-found"?');
  const json = await spikec(['explain', 'file/missing', '--json']);
  expect(JSON.parse(json.out)).toMatchObject({ code: 'file/missing', severity: 'error', diagnostics: [] });
  const unknown = await spikec(['explain', 'toString', '--json']);
  expect(JSON.parse(unknown.out).diagnostics[0].code).toBe('cli/unknown-code');
});

it('docs/cli.md tells about every command and every option', async () => {
  const page = readFileSync('docs/cli.md', 'utf8');
  const help = (await spikec(['--help'])).out;
  const commands = [...help.matchAll(/^ {2}([a-z]+) [[<]/gm)]
    .map((match) => match[1] ?? '')
    .filter((c) => c !== 'help');
  const headings = [...page.matchAll(/^## (\w+)$/gm)].map((match) => match[1]);
  expect(commands.filter((command) => !headings.includes(command))).toEqual([]);
  for (const command of commands) {
    const options = (await spikec([command, '--help'])).out.match(/--[a-z-]+/g) ?? [];
    const untold = options.filter((option) => option !== '--help' && !page.includes(option));
    expect({ command, untold }).toEqual({ command, untold: [] });
  }
});
