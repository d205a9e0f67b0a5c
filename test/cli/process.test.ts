import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { createProtocolConnection } from 'vscode-languageserver-protocol/node';
import { driver } from '../../src/commands/index.js';
import { builtCommand } from '../support/built-command.js';
import { inFolder } from '../support/in-folder.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyImages, tinyQuantised } from '../support/tiny-onnx.js';
import { spikec as spikecHere } from './fake.js';

/** These tests run the built command as its own process: what a user or a script sees. */
let main = '';

beforeAll(() => {
  main = builtCommand();
}, 120_000);

function spikec(
  args: readonly string[],
  cwd = '.',
  env: Readonly<Record<string, string>> = {},
): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [main, ...args], {
    cwd,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, FORCE_COLOR: '', ...env },
  });
}

function project(images = 12): string {
  const folder = temporaryFolder();
  const data = tinyImages(images);
  writeFileSync(join(folder, 'tiny.onnx'), tinyQuantised());
  writeFileSync(join(folder, 'images'), data.images);
  writeFileSync(join(folder, 'labels'), data.labels);
  return folder;
}

/** A project with `tiny.spike`, whose config is trained on its images. */
function trainingProject(
  images: number,
  of: { width: number; batch: number; epochs: number; validation?: number },
): string {
  const folder = project(images);
  writeFileSync(
    join(folder, 'tiny.spike'),
    `use "spikec/neurons" { LIF }
     network Tiny { input image: real[1, 6, 6]  output image | flatten | linear(${of.width}) | spike | linear(3) }
     config tiny {
       network Tiny  neuron LIF  coding rate(3)
       train { optimizer adam(lr: 1e-2)  batch ${of.batch}  epochs ${of.epochs}  validation ${of.validation ?? 0} }
     }`,
  );
  return folder;
}

it('damaged HDF5 gives a diagnostic alone, without what its library prints', () => {
  const folder = temporaryFolder();
  for (const [name, code, args] of [
    ['a.h5', 'data/bad-hdf5', ['data']],
    ['a.nir', 'nir/unreadable', ['cost']],
  ] as const) {
    writeFileSync(join(folder, name), 'no HDF5');
    const { status, stderr } = spikec([...args, name], folder);
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`^error\\[${code}\\]`));
    expect(stderr).not.toMatch(/HDF5-DIAG|H5/);
    expect(stderr.trim().split('\n').length).toBeLessThan(6);
  }
});

it('convert, eval and cost work one after the other', () => {
  const folder = project();
  const converted = spikec(['convert', 'tiny.onnx', '-o', 'out', '--silent', '8'], folder);
  // A slow machine shows progress there.
  expect(converted.stderr).not.toMatch(/error|warning|note|bug/);
  expect(converted.status).toBe(0);
  expect(converted.stdout).toContain('Next: spikec eval out/tiny.spike --data DATA');
  const evaluated = spikec(['eval', 'out/tiny.spike', '--data', 'idx:images,labels', '--json', '--stages'], folder);
  expect(evaluated.status).toBe(0);
  const result = JSON.parse(evaluated.stdout) as { samples: number; source: { agreement: number }; layers: object[] };
  expect(result).toMatchObject({ samples: 12, source: { agreement: 1 }, diagnostics: [] });
  expect(result.layers.length).toBeGreaterThan(0);
  expect(spikec(['cost', 'out/tiny.spike'], folder).stdout).toMatch(/^total .*\n\nlatency {2}16 steps\n/m);
});

it('colours appear only where they are wanted', () => {
  const escape = '\x1b[';
  expect(spikec(['check', 'none.spike']).stderr).not.toContain(escape);
  expect(spikec(['check', 'none.spike'], '.', { FORCE_COLOR: '1' }).stderr).toContain(escape);
  expect(spikec(['check', 'none.spike'], '.', { FORCE_COLOR: '1', NO_COLOR: '1' }).stderr).not.toContain(escape);
});

it('a reader that stops early is no error', async () => {
  const child = spawn(process.execPath, [main, 'explain', '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
  child.stdout.destroy();
  const code = await new Promise((settle) => child.on('close', settle));
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
});

it.skipIf(process.platform === 'win32')(
  'Ctrl-C ends a long evaluation with 130 and leaves nothing behind',
  async () => {
    const folder = project(60_000);
    spikec(['convert', 'tiny.onnx', '-o', 'out'], folder);
    const before = readdirSync(folder, { recursive: true });
    const args = [main, 'eval', 'out/tiny.spike', '--data', 'idx:images,labels', '--batch', '1'];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    // The first line of progress says that it is in the middle of its work.
    await new Promise((settle) => child.stderr.once('data', settle));
    child.kill('SIGINT');
    const code = await new Promise((settle) => child.on('close', settle));
    expect(code).toBe(130);
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
  },
  240_000,
);

it.skipIf(process.platform === 'win32')(
  'Ctrl-C ends a training with 130 and says how to go on; resumed, it ends as one that nobody interrupted',
  async () => {
    const folder = trainingProject(64, { width: 16, batch: 4, epochs: 24 });
    const args = (out: string) => ['train', 'tiny.spike', '--data', 'idx:images,labels', '--json', '-o', out];
    const child = spawn(process.execPath, [main, ...args('cut')], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    // the first epoch's line says that there is something to go on from
    await new Promise((settle) => child.stdout.once('data', settle));
    child.kill('SIGINT');
    const code = await new Promise((settle) => child.on('close', settle));
    expect(code).toBe(130);
    expect(errors).toContain('--resume');
    const log = (out: string): object[] =>
      readFileSync(join(folder, out, 'log.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => {
          const { seconds: _, ...rest } = JSON.parse(line) as Record<string, unknown>;
          return rest;
        });
    expect(log('cut').length).toBeLessThan(24);
    expect(spikec([...args('cut'), '--resume'], folder).status).toBe(0);
    expect(spikec(args('whole'), folder).status).toBe(0);
    expect(log('cut')).toEqual(log('whole'));
    const weights = (out: string) => readFileSync(join(folder, out, 'weights.safetensors'));
    expect(weights('cut').equals(weights('whole'))).toBe(true);
  },
  120_000,
);

interface BadInput {
  readonly what: string;
  readonly make: (folder: string) => readonly string[];
  readonly code: string;
}

function modelFile(folder: string, text: string): readonly string[] {
  writeFileSync(join(folder, 'a.spike'), text);
  return ['check', 'a.spike'];
}

const badInputs: readonly BadInput[] = [
  {
    what: 'an unterminated block',
    make: (f) => modelFile(f, 'network N {\n  input x: real[4]\n'),
    code: 'syntax/unclosed',
  },
  { what: 'ten megabytes of brackets', make: (f) => modelFile(f, '{'.repeat(10 * 2 ** 20)), code: 'syntax/too-large' },
  { what: 'brackets nested deeply', make: (f) => modelFile(f, '('.repeat(200_000)), code: 'syntax/too-deep' },
  {
    what: 'an unknown name',
    make: (f) => modelFile(f, 'network N { input x: real[4]  output x | liner(2) }'),
    code: 'model/unknown-name',
  },
  {
    what: 'a wrong argument type',
    make: (f) => modelFile(f, 'network N { input x: real[4]  output x | linear("two") }'),
    code: 'model/argument-type',
  },
  {
    what: 'a block within itself',
    make: (f) => modelFile(f, 'block B() { input x  output x | B() }\nnetwork N { input x: real[4]  output x | B() }'),
    code: 'model/recursion',
  },
  {
    what: 'a billion repetitions',
    make: (f) =>
      modelFile(
        f,
        'block B() { input x  output x | linear(4) }\nnetwork N { input x: real[4]  output x | repeat(1e9) B() }',
      ),
    code: 'model/too-big',
  },
  {
    what: 'a use outside the folder',
    make: (f) => modelFile(f, 'use "../other.spike" { B }\n'),
    code: 'model/outside-folder',
  },
  { what: 'a missing file', make: () => ['check', 'none.spike'], code: 'file/missing' },
  { what: 'a binary file', make: () => ['check', 'tiny.onnx'], code: 'file/not-text' },
  { what: 'an ONNX file as data', make: (f) => [...evaluate(f), '--data', 'idx:tiny.onnx,labels'], code: 'data/' },
  {
    what: 'a truncated ONNX file',
    make: (f) => {
      writeFileSync(join(f, 'cut.onnx'), tinyQuantised().subarray(0, 300));
      return ['convert', 'cut.onnx', '-o', 'out'];
    },
    code: 'onnx/',
  },
  {
    what: 'garbage as an ONNX file',
    make: (f) => {
      writeFileSync(
        join(f, 'garbage.onnx'),
        Uint8Array.from({ length: 5000 }, (_, i) => (i * i * 31) % 251),
      );
      return ['convert', 'garbage.onnx', '-o', 'out'];
    },
    code: 'onnx/',
  },
  { what: 'an empty ONNX file', make: (f) => emptyFile(f), code: 'onnx/' },
  {
    what: 'an output folder that is a file',
    make: () => ['convert', 'tiny.onnx', '-o', 'labels'],
    code: 'file/write-failed',
  },
];

function evaluate(folder: string): readonly string[] {
  writeFileSync(join(folder, 'a.spike'), 'config c {\n  network onnx("tiny.onnx")\n  coding sws(steps: 8)\n}\n');
  return ['eval', 'a.spike'];
}

function emptyFile(folder: string): readonly string[] {
  writeFileSync(join(folder, 'empty.onnx'), '');
  return ['convert', 'empty.onnx', '-o', 'out'];
}

/** One of each exit code as a process, and what goes deepest; the same program runs the others in this one. */
const asProcess = /nested deeply|unterminated|folder that is a file/;

async function ran(what: string, args: readonly string[], folder: string) {
  if (asProcess.test(what)) {
    const { status, stdout, stderr } = spikec(args, folder);
    return { status, stdout, stderr };
  }
  const { code, out, err } = await inFolder(folder, () => spikecHere(args, driver));
  return { status: code, stdout: out, stderr: err };
}

it.each(badInputs)(
  '$what is a diagnostic, without a stack trace and within a minute',
  async ({ what, make, code }) => {
    const folder = project();
    mkdirSync(join(folder, 'work'));
    const args = make(folder);
    const before = readdirSync(folder, { recursive: true }).sort();
    const { status, stdout, stderr } = await ran(what, [...args, '--json'], folder);
    expect(stderr).toContain(`error[${code}`);
    expect(stderr).not.toMatch(/^ {4}at |has a bug/m);
    expect(status).toBe(code === 'file/write-failed' ? 2 : 1);
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string }[] };
    expect(diagnostics.some((d) => d.code.startsWith(code))).toBe(true);
    expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
    expect(readFileSync(join(folder, 'tiny.onnx'))).toEqual(Buffer.from(tinyQuantised()));
  },
  60_000,
);

it.skipIf(process.platform === 'win32')(
  'a reader that stops reading ends no training, and its exit code stays',
  () => {
    const folder = trainingProject(40, { width: 4, batch: 8, epochs: 60 });
    const command = `"${process.execPath}" "${main}" train tiny.spike --data idx:images,labels --json -o run | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout } = spawnSync('bash', ['-c', command], { cwd: folder, encoding: 'utf8', timeout: 60_000 });
    const [first, code] = stdout.trim().split('\n');
    expect(JSON.parse(first!)).toMatchObject({ epoch: 1 });
    expect(code).toBe('0');
    expect(readFileSync(join(folder, 'run/log.jsonl'), 'utf8').trim().split('\n')).toHaveLength(60);
  },
  240_000,
);

it.skipIf(process.platform !== 'linux')(
  'an output that can’t be written is one line, not a stack',
  () => {
    const command = `"${process.execPath}" "${main}" explain file/missing > /dev/full`;
    const { status, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8', timeout: 60_000 });
    expect(stderr).toBe("error: the output can't be written: no space left on device\n");
    expect(status).toBe(2);
  },
  240_000,
);

it('lsp serves an editor over standard input and output, and ends when it is told to', async () => {
  const child = spawn(process.execPath, [main, 'lsp', '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const connection = createProtocolConnection(child.stdout, child.stdin);
  connection.listen();
  const initialised = await connection.sendRequest<{ serverInfo: unknown }>('initialize', {
    processId: process.pid,
    rootUri: null,
    capabilities: {},
  });
  expect(initialised.serverInfo).toEqual({ name: 'spikec' });
  await connection.sendRequest('shutdown');
  await connection.sendNotification('exit');
  expect(await ended).toBe(0);
  connection.dispose();
});

it('--version --verbose lists the engines with what they are made of', () => {
  const { stdout, status } = spikec(['--version', '--verbose']);
  expect(status).toBe(0);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(stdout).toContain(`spikec ${version}\nnode ${process.version}\nengines\n`);
  expect(stdout).toMatch(/^ {2}fused +built in$/m);
  expect(stdout).toMatch(
    /^ {2}onnxruntime +(onnxruntime-node 1\.|not there: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@)/m,
  );
  const json = JSON.parse(spikec(['-V', '--verbose', '--json']).stdout) as { engines: object };
  expect(Object.keys(json.engines)).toEqual([
    'fused',
    'onnxruntime',
    'native',
    'tfjs-wasm',
    'tfjs-tensorflow',
    'torch',
  ]);
  const nowhere = spikec(['-V', '--verbose'], '.', { CC: '/no/such/cc' }).stdout;
  expect(nowhere).toMatch(/^ {2}native +(koffi .*, no C compiler: CC names it: |not there: npm install koffi)/m);
  const torch = spikec(['-V', '--verbose'], '.', { SPIKEC_PYTHON: '/no/such/python' }).stdout;
  expect(torch).toMatch(/^ {2}torch +not there: \/no\/such\/python: /m);
});
