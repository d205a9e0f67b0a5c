import { onnxProto } from '../../../base/onnx-proto.js';
import { fullOpType } from '../names.js';
import { qonnxDomains } from '../ops/qonnx/index.js';
import { type OnnxModel, type OnnxNode, decodeModel, decodeNode } from '../wire.js';
import { channelsLastDomain } from '../ops/qonnx/channels-last.js';
import { isAnnotated, withoutAnnotations } from './annotations.js';
import { channelsLastForms } from './channels-last.js';
import { withoutDynamicForms } from './dynamic.js';
import { mapField } from './fields.js';
import { hasHalves, withoutHalves } from './halves.js';
import { StandardNodes } from './nodes.js';
import { pulpForms } from './pulp.js';
import { qonnxForms } from './qonnx.js';
import type { StandardForm, StandardForms } from './form.js';

/** A file in ONNX's own operators. */
interface Standardised {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Operators that were written out, by domain and name. */
  readonly replaced: readonly string[];
  /** It was float16 in part, and is float32. */
  readonly halves: boolean;
}

const forms: ReadonlyMap<string, StandardForms> = new Map([
  ...qonnxDomains.map((domain) => [domain, qonnxForms] as const),
  ['PACTOps', pulpForms],
  [channelsLastDomain, channelsLastForms],
  ['', pulpForms],
]);

/** Operators that stand for the values of each input; a file without them needs none of these forms. */
const dynamicOps = new Set(['DynamicQuantizeLinear', 'DynamicQuantizeMatMul']);

function formOf({ domain, opType }: OnnxNode, withoutDynamic: boolean): StandardForm | undefined {
  const own = forms.get(domain);
  if (own !== undefined && Object.hasOwn(own, opType)) return own[opType];
  const left = withoutDynamic && (domain === '' || domain === 'com.microsoft');
  return left && Object.hasOwn(withoutDynamicForms, opType) ? withoutDynamicForms[opType] : undefined;
}

const graphField = onnxProto.ModelProto.graph[0];
const nodeField = onnxProto.GraphProto.node[0];

/**
 * The same model with the operators that onnxruntime doesn't have (QONNX's) written out in ONNX's own, as their
 * specification defines them in float32, float16 as float32, without quantlab's notes of bits, and if that is asked for without its dynamic quantisers: what an import of such a
 * file is compared with. Undefined where the file has none. All other bytes of the file stay as they are.
 */
export function standardForm(
  bytes: Uint8Array,
  options: { readonly withoutDynamic?: boolean } = {},
): Standardised | undefined {
  const given = decodeModel(bytes);
  const halves = hasHalves(given);
  const floats = halves ? withoutHalves(bytes) : bytes;
  const model = halves ? decodeModel(floats) : given;
  const nodes = model.graph?.nodes ?? [];
  const withoutDynamic = options.withoutDynamic === true && nodes.some(({ opType }) => dynamicOps.has(opType));
  const ours = nodes.filter((node) => formOf(node, withoutDynamic) !== undefined);
  const annotated = nodes.some((node) => isAnnotated(node));
  if (ours.length === 0 && !annotated)
    return halves ? { bytes: new Uint8Array(floats), replaced: [], halves } : undefined;
  const stem = freeStem(model);
  let count = 0;
  const writeNode = (message: Uint8Array): readonly Uint8Array[] => {
    const node = decodeNode(message);
    const form = formOf(node, withoutDynamic);
    if (form === undefined) return [isAnnotated(node) ? withoutAnnotations(message) : message];
    const opset = model.opsets.findLast(({ domain }) => domain === '')?.version ?? 1;
    const to = new StandardNodes(`${stem}${count++}.`, opset);
    form(node, to, model);
    return to.kept ? [message] : to.messages();
  };
  const graph = (message: Uint8Array): readonly Uint8Array[] => [mapField(message, nodeField, writeNode)];
  return {
    bytes: new Uint8Array(mapField(floats, graphField, graph)),
    replaced: [...new Set(ours.filter((node) => formOf(node, false) !== undefined).map(fullOpType))],
    halves,
  };
}

/** A beginning that no tensor's name has. */
function freeStem({ graph }: OnnxModel): string {
  const names = graph?.nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]) ?? [];
  let stem = 'standard.';
  while (names.some((name) => name.startsWith(stem))) stem = `_${stem}`;
  return stem;
}
