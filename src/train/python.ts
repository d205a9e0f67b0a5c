import { spawnSync } from 'node:child_process';
import { fail } from '../base/diagnostics/index.js';

/** A Python that can train. */
export interface Python {
  readonly path: string;
  readonly version: string;
  readonly torch: string;
  /** `cuda` where PyTorch has a GPU, else `cpu`. */
  readonly device: string;
}

const question = `
import json, sys
import safetensors
import torch
device = "cuda" if torch.cuda.is_available() else "cpu"
print(json.dumps({"version": sys.version.split()[0], "torch": torch.__version__, "device": device}))
`;

/** The Python that was named, that of the variable SPIKEC_PYTHON, or `python3`, with what it has. */
export function findPython(named: string | undefined): Python {
  const path = named ?? defaultPython();
  const { stdout, stderr, status, error } = spawnSync(path, ['-c', question], { encoding: 'utf8' });
  if (error !== undefined) return refuse(path, error.message);
  if (status !== 0) return refuse(path, lastLine(stderr));
  const found = JSON.parse(lastLine(stdout)) as Omit<Python, 'path'>;
  const [major = 0, minor = 0] = found.torch.split('.').map(Number);
  if (major < 2 || (major === 2 && minor < 4)) {
    return refuse(path, `its PyTorch is ${found.torch}, and 2.4 is needed`);
  }
  return { path, ...found };
}

function defaultPython(): string {
  return process.env['SPIKEC_PYTHON'] || 'python3';
}

function refuse(python: string, problem: string): never {
  return fail('torch/no-python', { python, problem }, undefined, {
    help: `\`${python} -m pip install torch safetensors\`, or name a Python that has them with \`--python\``,
  });
}

const packages = `
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {"python": sys.version.split()[0]}
for name in ("torch", "safetensors"):
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
`;

/** The Python that would train, and the versions of what it needs, or what is missing; nothing is imported. */
export function describePython(): string {
  const path = defaultPython();
  const { stdout, stderr, status, error } = spawnSync(path, ['-c', packages], { encoding: 'utf8', timeout: 2000 });
  if (error !== undefined || status !== 0) return `not there: ${path}: ${error?.message ?? lastLine(stderr)}`;
  const { python, ...found } = JSON.parse(lastLine(stdout)) as Record<string, string>;
  const missing = ['torch', 'safetensors'].filter((name) => found[name] === undefined);
  if (missing.length > 0) return `not there: ${path} -m pip install ${missing.join(' ')} (Python ${python})`;
  return `${path}: Python ${python}, torch ${found['torch']}, safetensors ${found['safetensors']}`;
}

/** What a program said last. */
export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
