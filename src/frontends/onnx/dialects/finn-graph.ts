import { DiagnosticError } from '../../../base/diagnostics/index.js';
import { tensorConstant } from '../tensor-data.js';
import type { OnnxGraph, OnnxNode, OnnxTensor } from '../wire.js';
import { hardwareLayer, hasSignature, isMover } from './finn-layers.js';

/** Patches of an image [N, H, W, C] side by side, as a matrix product reads them: [N, OH, OW, kh·kw·C]. */
export interface Patches {
  /** The tensor of the image. */
  readonly image: string;
  readonly channels: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
  /** Each channel by itself: a product with them has zeros elsewhere. */
  readonly depthwise: boolean;
}

/** What FINN's nodes look for around them. */
export class FinnGraph {
  readonly #writers = new Map<string, OnnxNode>();
  readonly #readers = new Map<string, OnnxNode[]>();
  readonly #tensors = new Map<string, OnnxTensor>();
  readonly #multiplied = new Map<string, boolean>();
  readonly #origins = new Map<string, { readonly node: OnnxNode | undefined; readonly behind: string }>();

  constructor(graph: OnnxGraph) {
    for (const tensor of graph.initializers) this.#tensors.set(tensor.name, tensor);
    for (const node of graph.nodes) {
      for (const output of node.outputs) this.#writers.set(output, node);
      for (const input of new Set(node.inputs)) {
        const list = this.#readers.get(input);
        if (list === undefined) this.#readers.set(input, [node]);
        else list.push(node);
      }
    }
    // what people look at is read, too
    for (const { name } of graph.outputs) this.#readers.set(name, [...(this.#readers.get(name) ?? []), output]);
  }

  writerOf(tensor: string): OnnxNode | undefined {
    return this.#writers.get(tensor);
  }

  /** The contents of a constant that lies in the file itself. */
  constant(name: string): { readonly dims: readonly number[]; readonly data: ArrayLike<number> } | undefined {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined || tensor.external !== undefined) return undefined;
    try {
      return { dims: tensor.dims, data: tensorConstant(tensor, { file: '' }, undefined).data() };
    } catch (error) {
      // damage is told where the constant is read
      if (error instanceof DiagnosticError) return undefined;
      throw error;
    }
  }

  /** The patches that a tensor holds, where all that read them are products and pools. */
  patches(tensor: string): Patches | undefined {
    const { node, behind } = this.#originOf(tensor);
    return node === undefined || !this.#onlyMultiplied(behind) ? undefined : patchesOf(node);
  }

  /** The node whose numbers a tensor holds, before all that only move them, and its output; no node where that is given. */
  #originOf(tensor: string): { readonly node: OnnxNode | undefined; readonly behind: string } {
    const way = new Set<string>();
    let name = tensor;
    // what is known of one tensor is known of all behind it: a chain is walked once
    for (;;) {
      const known = this.#origins.get(name);
      const node = this.#writers.get(name);
      if (known !== undefined || node === undefined || way.has(name) || !isMover(node)) {
        const origin = known ?? { node: way.has(name) ? undefined : node, behind: node?.outputs[0] ?? '' };
        for (const one of way) this.#origins.set(one, origin);
        return origin;
      }
      way.add(name);
      name = node.inputs[0] ?? '';
    }
  }

  #onlyMultiplied(tensor: string): boolean {
    const known = this.#multiplied.get(tensor) ?? this.#allMultiply(tensor);
    this.#multiplied.set(tensor, known);
    return known;
  }

  /** Whether all that read a tensor, or what movers make of it, are products and pools. */
  #allMultiply(tensor: string): boolean {
    const reached = new Set([tensor]);
    for (const one of reached) {
      const readers = this.#readers.get(one) ?? [];
      if (readers.length === 0) return false;
      for (const node of readers) {
        if (isMover(node)) for (const output of node.outputs) reached.add(output);
        else if (!multiplies(node, one)) return false;
      }
    }
    return true;
  }
}

const output: OnnxNode = { name: '', opType: 'output', domain: '', inputs: [], outputs: [], attributes: new Map() };

function multiplies(node: OnnxNode, tensor: string): boolean {
  if (node.inputs[0] !== tensor || !hasSignature(node)) return false;
  const layer = hardwareLayer(node) ?? node.opType;
  return ['MatMul', 'XnorPopcountMatMul', ...productLayers, ...channelwiseLayers, 'Pool'].includes(layer);
}

/** Hardware layers that are a matrix product, perhaps with thresholds behind it; the last is the name of old versions. */
export const productLayers: readonly string[] = ['MVAU', 'MatrixVectorActivation', 'StreamingFCLayer'];

/** The same of each channel by itself. */
export const channelwiseLayers: readonly string[] = ['VVAU', 'VectorVectorActivation', 'Vector_Vector_Activate'];

function patchesOf(node: OnnxNode): Patches | undefined {
  if (!writesPatches(node) || !hasSignature(node)) return undefined;
  const list = (name: string): readonly number[] | undefined => node.attributes.get(name)?.ints;
  const depthwise = node.attributes.get('depthwise')?.i === 1;
  const [image] = node.inputs as [string];
  if (node.opType === 'Im2Col') {
    const channels = Number(node.attributes.get('input_shape')?.s?.match(/\d+/g)?.at(-1));
    const [kernel, strides] = [list('kernel_size'), list('stride')];
    const padded = (node.attributes.get('pad_value')?.i ?? 0) !== 0;
    if (!isCount(channels) || kernel?.length !== 2 || strides?.length !== 2 || padded) return undefined;
    const [pads, dilations] = [list('pad_amount') ?? [0, 0, 0, 0], list('dilations') ?? [1, 1]];
    return { image, channels, kernel, strides, dilations, pads, depthwise };
  }
  const [kernel, strides, channels] = [list('ConvKernelDim'), list('Stride'), node.attributes.get('IFMChannels')?.i];
  if (kernel?.length !== 2 || strides?.length !== 2 || !isCount(channels)) return undefined;
  const dilations = list('Dilation') ?? [1, 1];
  return { image, channels, kernel, strides, dilations, pads: [0, 0, 0, 0], depthwise };
}

function isCount(n: number | undefined): n is number {
  return n !== undefined && n >= 1 && n <= 1e6;
}

/** Whether a node writes patches (Im2Col and the like). */
export function writesPatches(node: OnnxNode): boolean {
  return node.opType === 'Im2Col' || (hardwareLayer(node)?.startsWith('ConvolutionInputGenerator') ?? false);
}
