import { activationOps } from './activation.js';
import { arithmeticOps } from './arithmetic.js';
import type { OnnxOpDef, OnnxOpTable } from './define.js';
import { dynamicOps, microsoftDynamicOps } from './dynamic.js';
import { einsumOps } from './einsum.js';
import { functionOps, microsoftFunctionOps } from './function.js';
import { fusedOps } from './fused.js';
import { lastOps, lastOpsOnCodes } from './last.js';
import { miscOps } from './misc.js';
import { mctDomain, mctOps } from './mct.js';
import { microsoftNormOps, normOps } from './norms.js';
import { poolOps } from './pool.js';
import { pulpDomains, pulpOps } from './pulp/index.js';
import { microsoftOps, qlinearOps } from './qlinear.js';
import { channelsLastDomain, channelsLastOps } from './qonnx/channels-last.js';
import { isQonnx, qonnxDomains, qonnxOps } from './qonnx/index.js';
import { quantiseOps } from './quantise.js';
import { rearrangeOps } from './rearrange.js';
import { reductionOps } from './reductions.js';
import { roundOps } from './round.js';
import { selectOps } from './select.js';
import { resizeOps } from './resize.js';
import { shapeOps } from './shape.js';
import { slopeOps } from './slopes.js';
import { synapseOps } from './synapse.js';
import { transposedOps } from './transposed.js';

const standardOps: OnnxOpTable = {
  ...synapseOps,
  ...einsumOps,
  ...normOps,
  ...transposedOps,
  ...quantiseOps,
  ...qlinearOps,
  ...activationOps,
  ...functionOps,
  ...slopeOps,
  ...arithmeticOps,
  ...roundOps,
  ...dynamicOps,
  ...poolOps,
  ...reductionOps,
  ...shapeOps,
  ...rearrangeOps,
  ...resizeOps,
  ...selectOps,
  ...miscOps,
  ...lastOps,
  // Deeploy's files have it without a domain
  ...pulpOps,
};

const tables: ReadonlyMap<string, OnnxOpTable> = new Map([
  ['', standardOps],
  [
    'com.microsoft',
    {
      ...microsoftOps,
      ...microsoftFunctionOps,
      ...microsoftNormOps,
      ...fusedOps,
      ...microsoftDynamicOps,
      ...lastOpsOnCodes,
    },
  ],
  ...pulpDomains.map((domain) => [domain, pulpOps] as const),
  [channelsLastDomain, channelsLastOps],
  [mctDomain, mctOps],
  ...qonnxDomains.map((domain) => [domain, qonnxOps] as const),
]);

/** The importer of an operator. */
export function onnxOp(domain: string, opType: string): OnnxOpDef | undefined {
  const table = tables.get(domain);
  if (table !== undefined && Object.hasOwn(table, opType)) return table[opType];
  return isQonnx({ domain, opType }) ? qonnxOps[opType] : undefined;
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
