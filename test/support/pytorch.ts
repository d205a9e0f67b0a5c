import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Tensor } from '../../src/base/dtype.js';
import { decodeSafetensors, encodeSafetensors } from '../../src/base/safetensors.js';

/** The Python of these tests: that of the variable SPIKEC_PYTHON, or the first on the path. */
export const installedPython = process.env['SPIKEC_PYTHON'] ?? 'python3';

export interface PythonRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Process {
  readonly requests: number;
  readonly answers: number;
}

/** What programs here load: every optimizer loads the compiler of PyTorch, which takes as long as PyTorch itself. */
const loaded = ['numpy', 'torch', 'torch.distributed', 'torch._dynamo', 'safetensors.torch'];

/**
 * A process that has modules loaded, which most of the time of a short program is, and ends with this one. One that has died
 * is started anew by the next run.
 */
export class PythonServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'spikec-python-'));
  #process: Process | undefined;

  constructor(
    readonly program: string,
    readonly modules: readonly string[],
  ) {
    process.once('exit', () => rmSync(this.#folder, { recursive: true, force: true }));
  }

  #path(name: 'requests' | 'answers' | 'out' | 'err' | 'last-words' | 'socket' | 'python'): string {
    return join(this.#folder, name);
  }

  /** A program that is this Python to whoever starts it as a process, with the modules loaded. */
  client(): string {
    const client = join(import.meta.dirname, 'python-client.py');
    const quoted = [this.program, '-IS', client, this.#path('socket'), this.program].map((word) => `'${word}'`);
    writeFileSync(this.#path('python'), `#!/bin/sh\nexec ${quoted.join(' ')} "$@"\n`);
    chmodSync(this.#path('python'), 0o755);
    return this.#path('python');
  }

  #start(): Process {
    const [requests, answers] = [this.#path('requests'), this.#path('answers')];
    for (const path of [requests, answers, this.#path('socket')]) rmSync(path, { force: true });
    execFileSync('mkfifo', [requests, answers]);
    const words = openSync(this.#path('last-words'), 'w');
    // The shell opens both ends, so that a Python that cannot start is one that has died, and nothing waits for it.
    const script = join(import.meta.dirname, 'python-server.py');
    const command = 'requests=$1 answers=$2; shift 2; exec "$0" "$@" <"$requests" >"$answers"';
    spawn('sh', ['-c', command, this.program, requests, answers, script, this.#path('socket'), ...this.modules], {
      stdio: ['ignore', 'ignore', words],
      env: { ...process.env, OMP_NUM_THREADS: '1' },
    }).unref();
    closeSync(words);
    return { requests: openSync(requests, 'w'), answers: openSync(answers, 'r') };
  }

  #end(): void {
    if (this.#process === undefined) return;
    closeSync(this.#process.requests);
    closeSync(this.#process.answers);
    this.#process = undefined;
  }

  /** Sends a request; a server that has died since the last one is replaced. */
  #send(request: string): Process {
    if (this.#process !== undefined) {
      try {
        writeSync(this.#process.requests, request);
        return this.#process;
      } catch {
        this.#end();
      }
    }
    this.#process = this.#start();
    writeSync(this.#process.requests, request);
    return this.#process;
  }

  /** Runs a program (`-c CODE` or a file, with what it is given) in a folder, as `python` would, but that the modules are loaded. */
  run(folder: string, args: readonly string[]): PythonRun {
    const [out, err] = [this.#path('out'), this.#path('err')];
    const answer = Buffer.alloc(16);
    let length = 0;
    try {
      const { answers } = this.#send(`${JSON.stringify({ folder: resolve(folder), args, out, err })}\n`);
      length = readSync(answers, answer);
    } catch (error) {
      // one that dies at once has no reader any more
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    }
    if (length === 0) {
      this.#end();
      const words = readFileSync(this.#path('last-words'), 'utf8').trim();
      throw new Error(`${this.program} died before it answered: ${words === '' ? 'it said nothing' : words}`);
    }
    return {
      status: Number(answer.toString('utf8', 0, length)),
      stdout: readFileSync(out, 'utf8'),
      stderr: readFileSync(err, 'utf8'),
    };
  }
}

const server = new PythonServer(installedPython, loaded);

/** The Python of these tests, for what starts it as a process: it has PyTorch loaded. */
export const python = process.platform === 'win32' ? installedPython : server.client();

/** A run of the Python of these tests. */
export function pythonRun(folder: string, args: readonly string[]): PythonRun {
  return server.run(folder, args);
}

const known = new Map<string, boolean>();

/** Whether it has these modules; says so loudly where it doesn't. */
export function hasModules(what: string, ...modules: readonly string[]): boolean {
  const imports = modules.map((name) => `import ${name}`).join('\n');
  const found = known.get(imports) ?? runs(imports);
  known.set(imports, found);
  if (!found) console.warn(`SKIPPED: ${what}: ${installedPython} lacks ${modules.join(' or ')} (set SPIKEC_PYTHON)`);
  return found;
}

function runs(code: string): boolean {
  try {
    return pythonRun('.', ['-c', code]).status === 0;
  } catch (error) {
    console.warn((error as Error).message);
    return false;
  }
}

export const hasTorch = hasModules('PyTorch', 'torch', 'safetensors');

/** Runs Python in a folder; throws with what it said where it fails. */
export function runPython(folder: string, args: readonly string[], environment: Record<string, string> = {}): string {
  const own = args[0] === '-m' || Object.keys(environment).length > 0;
  const { stdout, stderr, status } = own
    ? spawnSync(installedPython, args, {
        cwd: folder,
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
        env: { ...process.env, OMP_NUM_THREADS: '1', ...environment },
      })
    : pythonRun(folder, args);
  if (status !== 0) throw new Error(`${installedPython} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

export function writeTensors(
  folder: string,
  name: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  writeFileSync(join(folder, name), encodeSafetensors(new Map(Object.entries(tensors)), metadata));
}

export function readTensors(bytes: Uint8Array<ArrayBuffer>): ReadonlyMap<string, Tensor> {
  const { value, diagnostics } = decodeSafetensors(bytes, 'tensors');
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '));
  return value.tensors;
}
