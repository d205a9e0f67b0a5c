import fs from 'node:fs';
import os from 'node:os';
import { syncBuiltinESMExports } from 'node:module';
import fc from 'fast-check';
import { afterEach, expect } from 'vitest';
import { sameNumbers } from './support/same-numbers.js';
import { removeTemporaryFolders } from './support/temporary-folder.js';

// The same cases in every run, so that a failure is the change's; SPIKEC_TEST_SEED=N looks at others.
fc.configureGlobal({ seed: Number(process.env['SPIKEC_TEST_SEED'] ?? 20261122) });

// What is written must outlast a loss of power, which no test has: a disk takes as long for it as a test for all else.
fs.fsyncSync = () => undefined;
// Other test files have the other processors: threads of engines would spin and wait for them. Tests of threads say how many.
os.availableParallelism = () => 1;
syncBuiltinESMExports();

// Without isolation a file's testers are the next one's too.
const installed = Symbol.for('spikec same numbers');
if (!(installed in globalThis)) {
  Object.assign(globalThis, { [installed]: true });
  expect.addEqualityTesters([sameNumbers]);
}

afterEach(removeTemporaryFolders);
