import { encodeOnnx } from '../../../base/onnx-encode.js';
import { onnxProto } from '../../../base/onnx-proto.js';
import { emptyInputs } from '../dialects/empty-inputs.js';
import { dialectRewriter, isOfDialect } from '../dialects/index.js';
import { fullOpType } from '../names.js';
import { mctDomain } from '../ops/mct.js';
import { pulpDomains } from '../ops/pulp/index.js';
import { isQonnx } from '../ops/qonnx/index.js';
import { type OnnxModel, type OnnxNode, decodeModel, decodeNode, decodeValueInfo } from '../wire.js';
import { channelsLastDomain } from '../ops/qonnx/channels-last.js';
import { isAnnotated, withoutAnnotations } from './annotations.js';
import { channelsLastForms } from './channels-last.js';
import { withoutDynamicForms } from './dynamic.js';
import { mapField } from './fields.js';
import { hasHalves, withoutHalves } from './halves.js';
import { hasIntegerForms, integerForm, typesOf } from './integers.js';
import { mctForms } from './mct.js';
import { StandardNodes } from './nodes.js';
import { pulpForms } from './pulp.js';
import { qonnxForms } from './qonnx.js';
import type { StandardForm, StandardForms } from './form.js';
import { hasByteProducts, unsignedProducts } from './unsigned-products.js';

/** A file in ONNX's own operators. */
interface Standardised {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Operators that were written out, by domain and name. */
  readonly replaced: readonly string[];
  /** It was float16 in part, and is float32. */
  readonly halves: boolean;
}

const forms: ReadonlyMap<string, StandardForms> = new Map([
  ['', pulpForms],
  ...pulpDomains.map((domain) => [domain, pulpForms] as const),
  [channelsLastDomain, channelsLastForms],
  [mctDomain, mctForms],
]);

/** Operators that stand for the values of each input; a file without them needs none of these forms. */
const dynamicOps = new Set(['DynamicQuantizeLinear', 'DynamicQuantizeMatMul']);

function formOf({ domain, opType }: OnnxNode, withoutDynamic: boolean): StandardForm | undefined {
  const own = forms.get(domain);
  if (own !== undefined && Object.hasOwn(own, opType)) return own[opType];
  if (isQonnx({ domain, opType })) return qonnxForms[opType];
  const left = withoutDynamic && (domain === '' || domain === 'com.microsoft');
  return left && Object.hasOwn(withoutDynamicForms, opType) ? withoutDynamicForms[opType] : undefined;
}

const graphField = onnxProto.ModelProto.graph[0];
const nodeField = onnxProto.GraphProto.node[0];

/**
 * The same model with the operators that onnxruntime doesn't have (QONNX's) written out in ONNX's own, as their
 * specification defines them in float32, float16 as float32, without quantlab's notes of bits, and if that is asked for without its dynamic quantisers, or with products of
 * unsigned bytes alone: what an import of such a file is compared with. Undefined where the file has none. All other bytes of the file stay as they are.
 */
export function standardForm(
  bytes: Uint8Array,
  options: { readonly withoutDynamic?: boolean; readonly unsigned?: boolean } = {},
): Standardised | undefined {
  const given = decodeModel(bytes);
  const halves = hasHalves(given);
  const floats = halves ? withoutHalves(bytes) : bytes;
  const model = halves ? decodeModel(floats) : given;
  const nodes = model.graph?.nodes ?? [];
  const withoutDynamic = options.withoutDynamic === true && nodes.some(({ opType }) => dynamicOps.has(opType));
  const types = typesOf(model);
  const typed = hasIntegerForms(model, types);
  const formFor = (node: OnnxNode): StandardForm | undefined =>
    (typed ? integerForm(types, node) : undefined) ?? formOf(node, withoutDynamic);
  const opset = model.opsets.findLast(({ domain }) => domain === '')?.version ?? 1;
  const ours = nodes.filter((node) => formFor(node) !== undefined || isOfDialect(node));
  const names = nodes.flatMap(({ name }) => (name === '' ? [] : [name]));
  const repeats = new Set(names).size < names.length;
  const annotated = nodes.some((node) => isAnnotated(node));
  const unsigned = options.unsigned === true && (typed || hasByteProducts(model));
  const empty = model.graph === undefined ? new Set<string>() : emptyInputs(model.graph);
  if (ours.length === 0 && !annotated && !repeats && !unsigned && empty.size === 0)
    return halves ? { bytes: new Uint8Array(floats), replaced: [], halves } : undefined;
  const stem = freeStem(model);
  const products = unsigned ? unsignedProducts(model, stem, opset) : undefined;
  let count = 0;
  const rewrite = model.graph === undefined ? undefined : dialectRewriter(model.graph, opset);
  const writeNode = (given: Uint8Array): readonly Uint8Array[] => {
    const own = rewrite?.(decodeNode(given));
    const written = own === undefined ? writeOne(given) : own.flatMap(writeOne);
    return products === undefined ? written : written.flatMap(products);
  };
  const writeOne = (given: Uint8Array): readonly Uint8Array[] => {
    // onnxruntime refuses two nodes of one name
    const message = repeats ? mapField(given, onnxProto.NodeProto.name[0], () => []) : given;
    const node = decodeNode(message);
    const form = formFor(node);
    if (form === undefined) return [isAnnotated(node) ? withoutAnnotations(message) : message];
    const to = new StandardNodes(`${stem}${count++}.`, opset);
    form(node, to, model);
    return to.kept ? [message] : to.messages();
  };
  const graph = (message: Uint8Array): readonly Uint8Array[] => {
    const nodes = mapField(message, nodeField, writeNode);
    const written = empty.size === 0 ? nodes : withoutInputs(nodes, empty);
    return [ours.length > 0 ? withoutTypes(written) : written];
  };
  return {
    bytes: new Uint8Array(mapField(floats, graphField, graph)),
    replaced: [
      ...new Set(ours.filter((node) => formOf(node, false) !== undefined || isOfDialect(node)).map(fullOpType)),
    ],
    halves,
  };
}

function withoutInputs(graph: Uint8Array, names: ReadonlySet<string>): Uint8Array {
  return mapField(graph, onnxProto.GraphProto.input[0], (message) =>
    names.has(decodeValueInfo(message).name) ? [] : [message],
  );
}

/** The graph without the types of its outputs and of what lies between, which the forms don't all keep: requantised integers are floats. */
function withoutTypes(graph: Uint8Array): Uint8Array {
  const { output, valueInfo } = onnxProto.GraphProto;
  const named = (message: Uint8Array): readonly Uint8Array[] => [
    encodeOnnx('ValueInfoProto', { name: decodeValueInfo(message).name }),
  ];
  return mapField(mapField(graph, output[0], named), valueInfo[0], () => []);
}

/** A beginning that no tensor's name has. */
function freeStem({ graph }: OnnxModel): string {
  const names = graph?.nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]) ?? [];
  let stem = 'standard.';
  while (names.some((name) => name.startsWith(stem))) stem = `_${stem}`;
  return stem;
}
