import type { CodeRange } from '../../base/code-range.js';
import { elementTypeOf, isFloatType } from './element-type.js';
import type { GraphContext } from './graph-context.js';
import { isAnnotated } from './standard/annotations.js';
import { pulpDomains, pulpOps } from './ops/pulp/index.js';
import { tensorConstant } from './tensor-data.js';
import type { OnnxGraph, OnnxNode } from './wire.js';

/** What integer networks take where nothing else is said: pixels as they are. */
export const usualCodes: CodeRange = { min: 0, max: 255 };

/** Operators that move numbers, or add zeros. */
const moving: ReadonlySet<string> = new Set([
  'Identity',
  'Dropout',
  'Pad',
  'Reshape',
  'Flatten',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'MaxPool',
  'Cast',
]);

/** Operators of several activations: among PULP's, of integers. */
const joining: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'MatMul', 'Concat']);

/** Operators of products with weights. */
const products: ReadonlySet<string> = new Set(['Conv', 'MatMul', 'Gemm']);

/**
 * Whether a file's input holds integers of a range that its type doesn't say, as in integer networks of NEMO, DORY, quantlab
 * and Deeploy: all that reads it are products, of a float with integer weights, and the graph rounds with integers of its
 * own (Floor, casts to integers, PULP's operators) instead of quantisers; or PULP's operators, among which all are integers.
 */
export function takesIntegers(graph: GraphContext, { nodes }: OnnxGraph, input: string, isFloat: boolean): boolean {
  if (!nodes.some((node) => roundsIntegers(node))) return false;
  const readers = firstReaders(graph, input);
  const constants = new Map(nodes.filter(({ opType }) => opType === 'Constant').map((node) => [node.outputs[0], node]));
  const weightsOf = (name: string): ArrayLike<number> | undefined => {
    const tensor = constants.get(name)?.attributes.get('value')?.t;
    if (tensor !== undefined) return tensorConstant(tensor, { file: graph.file }, graph.readExternal).data();
    const value = graph.values.get(name);
    return value?.kind === 'constant' ? value.data() : undefined;
  };
  const isConstant = (name: string): boolean => constants.has(name) || graph.values.get(name)?.kind === 'constant';
  const ofPulp = nodes.some((node) => isOfPulp(node));
  const isOne = (node: OnnxNode): boolean =>
    isOfPulp(node) ||
    (ofPulp && joining.has(node.opType) && !node.inputs.some((name) => isConstant(name))) ||
    (products.has(node.opType) && (!isFloat || hasIntegers(node, weightsOf(node.inputs[1] ?? ''))));
  return readers.length > 0 && readers.every((node) => isOne(node));
}

/** Of PULP's operators all take integers. */
function isOfPulp({ domain, opType }: OnnxNode): boolean {
  return (domain === '' || (pulpDomains as readonly string[]).includes(domain)) && Object.hasOwn(pulpOps, opType);
}

function roundsIntegers(node: OnnxNode): boolean {
  const { opType, attributes } = node;
  if (opType === 'Floor' || isOfPulp(node)) return true;
  const to = opType === 'Cast' ? elementTypeOf(attributes.get('to')?.i ?? 0) : undefined;
  return to !== undefined && !isFloatType(to);
}

/** What reads a tensor first that does more than move its numbers. */
function firstReaders(graph: GraphContext, tensor: string): readonly OnnxNode[] {
  const found: OnnxNode[] = [];
  const seen = new Set<string>();
  const waiting = [tensor];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const reader of graph.readers.get(name) ?? []) {
      if (reader === 'output') continue;
      if (moving.has(reader.opType) && reader.inputs[0] === name) waiting.push(...reader.outputs);
      else found.push(reader);
    }
  }
  return found;
}

/** Weights of −1, 0 and 1 alone say nothing where quantlab hasn't noted their bits: they are those of binary networks of reals, too. */
function hasIntegers(node: OnnxNode, weights: ArrayLike<number> | undefined): boolean {
  if (weights === undefined) return false;
  const all = Array.from(weights);
  return all.every((w) => Number.isInteger(w)) && (isAnnotated(node) || all.some((w) => Math.abs(w) > 1));
}
