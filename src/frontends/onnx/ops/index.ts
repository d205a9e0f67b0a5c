import { activationOps } from './activation.js';
import { arithmeticOps } from './arithmetic.js';
import type { OnnxOpDef, OnnxOpTable } from './define.js';
import { lastOps, lastOpsOnCodes } from './last.js';
import { miscOps } from './misc.js';
import { poolOps } from './pool.js';
import { microsoftOps, qlinearOps } from './qlinear.js';
import { quantiseOps } from './quantise.js';
import { selectOps } from './select.js';
import { shapeOps } from './shape.js';
import { synapseOps } from './synapse.js';

const standardOps: OnnxOpTable = {
  ...synapseOps,
  ...quantiseOps,
  ...qlinearOps,
  ...activationOps,
  ...arithmeticOps,
  ...poolOps,
  ...shapeOps,
  ...selectOps,
  ...miscOps,
  ...lastOps,
};

const tables: ReadonlyMap<string, OnnxOpTable> = new Map([
  ['', standardOps],
  ['com.microsoft', { ...microsoftOps, ...lastOpsOnCodes }],
]);

/** The importer of an operator. */
export function onnxOp(domain: string, opType: string): OnnxOpDef | undefined {
  const table = tables.get(domain);
  return table !== undefined && Object.hasOwn(table, opType) ? table[opType] : undefined;
}

/** Names of all supported operators, those of other domains with their domain. */
export function supportedOps(): readonly string[] {
  return [...tables].flatMap(([domain, table]) =>
    Object.keys(table)
      .sort()
      .map((name) => (domain === '' ? name : `${domain}.${name}`)),
  );
}

export { refusals } from './refused.js';
