import type { OnnxNode } from './wire.js';

const longest = 120;

/** Keeps [A-Za-z0-9_.-]; path separators become dots. `b/b.0/a` (a module list's item) becomes `b.0.a`. */
export function sanitise(name: string): string {
  const segments = name.split(/[/:]+/).filter((segment) => segment !== '');
  const kept = segments.filter((segment, i) => !segments[i + 1]?.startsWith(`${segment}.`));
  const text = kept
    .join('.')
    .replace(/[^A-Za-z0-9_.-]+/g, '_')
    .replace(/\.{2,}/g, '.')
    .replace(/^\.+|\.+$/g, '');
  return text === '' ? '_' : text.slice(0, longest);
}

/** Exporters write these for expressions inside a module, so that its name alone would not tell them apart. */
const expressions = /^(Add|Sub|Mul|Div|Sum|Relu|Clip|Concat)$/;

/**
 * The stem of a node's ids: its name without the op type that exporters append
 * (`/stage1/0/conv1/Conv` → `stage1.0.conv1`), or the name of its first output.
 */
export function nodeStem(node: OnnxNode): string {
  const name = node.name === '' ? (node.outputs[0] ?? '').replace(/_output_\d+$/, '') : node.name;
  const segments = name.split('/').filter((segment) => segment !== '');
  const last = segments.at(-1) ?? '';
  const module = segments.at(-2);
  const isOpType = [last, `QLinear${last}`, `Q${last}`].includes(node.opType);
  if (module !== undefined && isOpType && (!expressions.test(last) || /relu|act|clip/i.test(module))) segments.pop();
  return sanitise(segments.join('/'));
}

/** How messages name a node. */
export function describeNode(node: OnnxNode): string {
  const name = node.name === '' ? `writing "${node.outputs[0] ?? ''}"` : `"${node.name}"`;
  return `node ${name} (${fullOpType(node)})`;
}

/** The op type, with its domain unless it is ONNX's own. */
export function fullOpType(node: Pick<OnnxNode, 'domain' | 'opType'>): string {
  return node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
}
