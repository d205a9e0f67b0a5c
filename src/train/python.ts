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
  const path = named ?? (process.env['SPIKEC_PYTHON'] || 'python3');
  const { stdout, stderr, status, error } = spawnSync(path, ['-c', question], { encoding: 'utf8' });
  if (error !== undefined) fail('torch/no-python', { python: path, problem: error.message });
  if (status !== 0) fail('torch/no-python', { python: path, problem: lastLine(stderr) });
  const found = JSON.parse(lastLine(stdout)) as Omit<Python, 'path'>;
  const [major = 0, minor = 0] = found.torch.split('.').map(Number);
  if (major < 2 || (major === 2 && minor < 4)) {
    fail('torch/no-python', { python: path, problem: `its PyTorch is ${found.torch}, and 2.4 is needed` });
  }
  return { path, ...found };
}

/** What a program said last. */
export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
