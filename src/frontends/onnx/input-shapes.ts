import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.js';
import { nearest } from '../../base/did-you-mean.js';
import type { InputShape } from '../../base/input-shape.js';
import type { OnnxGraph, OnnxValueInfo } from './wire.js';

/** The size of an input's first axis, as the file has it or as it is said. */
export function firstSize(
  { name, dims }: OnnxValueInfo,
  inputs: number,
  shapes: readonly InputShape[],
): number | string | undefined {
  const said = shapes.find((shape) => shape.name === name || (shape.name === undefined && inputs === 1));
  return typeof dims?.[0] === 'number' && dims[0] > 0 ? dims[0] : said?.sizes[0];
}

/** The graph with sizes of its inputs that it leaves free as they are said; the batch, where there is one, stays what the file makes it. */
export function withShapes(
  graph: OnnxGraph,
  shapes: readonly InputShape[] | undefined,
  file: string,
  diagnostics: Diagnostic[],
  oneSample = false,
): OnnxGraph {
  if (shapes === undefined || shapes.length === 0) return graph;
  const initial = new Set(graph.initializers.map(({ name }) => name));
  const fed = graph.inputs.filter(({ name }) => !initial.has(name));
  const names = fed.map(({ name }) => name);
  const said = new Map<string, readonly number[]>();
  for (const { name = names.length === 1 ? names[0]! : undefined, sizes } of shapes) {
    const info = fed.find((input) => input.name === name);
    if (name !== undefined && info === undefined) {
      diagnostics.push(
        diagnostic('onnx/unknown-input', { input: name, names }, { file }, { help: nearest(name, names) }),
      );
      continue;
    }
    const { problem, help } = info === undefined ? unnamed(names, sizes) : clash(info, sizes);
    if (problem === undefined) said.set(info!.name, sizes);
    else
      diagnostics.push(
        diagnostic('onnx/input-shape', { name: name ?? '?', dims: info?.dims ?? sizes, problem }, { file }, { help }),
      );
  }
  const inputs = graph.inputs.map((info) => {
    const sizes = said.get(info.name);
    if (sizes === undefined) return info;
    const dims = sizes.map((size, axis) => (axis === 0 && !oneSample ? (info.dims?.[0] ?? '') : size));
    return { ...info, dims };
  });
  return { ...graph, inputs };
}

interface Refused {
  /** Missing where nothing is wrong. */
  readonly problem?: string;
  readonly help?: string;
}

function unnamed(names: readonly string[], sizes: readonly number[]): Refused {
  return {
    problem: `--input-shape doesn’t say which of ${names.join(', ')} it is of`,
    help: `name it: --input-shape "${names[0]}=${sizes.join(',')}", once for each input`,
  };
}

/** Where a size that is said isn’t the file’s own. */
function clash({ name, dims }: OnnxValueInfo, sizes: readonly number[]): Refused {
  if (dims === undefined) return {};
  if (dims.length !== sizes.length) {
    const wanted = dims.map((size, i) => (i === 0 ? 1 : (sizes[i] ?? size) || '…')).join(',');
    return {
      problem: `it has ${dims.length} axes, --input-shape gives ${sizes.length}`,
      help: `say a size for each axis, the batch first: --input-shape "${name}=${wanted}"`,
    };
  }
  const fixed = (i: number): boolean => i > 0 && typeof dims[i] === 'number' && dims[i] > 0;
  const axis = dims.findIndex((size, i) => fixed(i) && size !== sizes[i]);
  if (axis < 0) return {};
  const isFree = dims.some((_, i) => i > 0 && !fixed(i));
  const own = sizes.map((size, i) => (fixed(i) ? dims[i] : size)).join(',');
  return {
    problem: `axis ${axis} is ${dims[axis]}, --input-shape gives ${sizes[axis]}`,
    help: isFree
      ? `the file fixes that size: --input-shape "${name}=${own}"`
      : 'leave --input-shape out, the file fixes all sizes; or export it with those sizes, or with free ones',
  };
}
