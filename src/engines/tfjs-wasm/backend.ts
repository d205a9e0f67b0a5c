import type * as TensorFlow from '@tensorflow/tfjs';
import { type FunctionBody, encodeModule } from '../fused/wasm.js';

export type Tf = typeof TensorFlow;
export type Info = TensorFlow.TensorInfo;
/** A function over the backend's memory; what its parameters are its body says. */
export type Loop = (first: number, second: number, third: number) => void;

/** The part of the WebAssembly interface that is used here; the language's libraries don't declare it. */
interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new () => { readonly buffer: ArrayBuffer | SharedArrayBuffer };
}

/** What of the backend our kernels use: its memory, and where tensors lie in it. */
export interface Backend {
  readonly wasm: {
    readonly asm?: { readonly memory?: unknown };
    readonly HEAPU8: Uint8Array;
    _malloc(bytes: number): number;
    _free(address: number): void;
  };
  readonly dataIdMap: { get(id: object): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: 'float32'): Info;
}

export interface Call {
  readonly inputs: Readonly<Record<string, Info>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly backend: Backend;
}

/** Makes functions over the memory of a backend, each once; `undefined` where it can't be reached or is shared between threads. */
export type LoopMaker = (name: string, sizes: unknown, body: () => FunctionBody) => Loop;

export function loopMaker(backend: Backend): LoopMaker | undefined {
  const wasm = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;
  const memory = backend.wasm.asm?.memory;
  if (!(memory instanceof wasm.Memory) || !(memory.buffer instanceof ArrayBuffer)) return undefined;
  const loops = new Map<string, Loop>();
  return (name, sizes, body) => {
    const key = `${name} ${JSON.stringify(sizes)}`;
    const known = loops.get(key);
    if (known !== undefined) return known;
    const { exports } = new wasm.Instance(new wasm.Module(encodeModule([body()], 1)), { env: { memory } });
    const made = exports['k0'] as Loop;
    loops.set(key, made);
    return made;
  };
}

/** Registers a kernel in place of the backend's own, which is called where ours answers `undefined`. */
export function replace(tf: Tf, kernelName: string, own: (call: Call) => Info | undefined): void {
  const before = tf.getKernel(kernelName, 'wasm') as TensorFlow.KernelConfig | undefined;
  if (before !== undefined) tf.unregisterKernel(kernelName, 'wasm');
  const kernelFunc = (call: Call): Info => {
    const floats = Object.values(call.inputs).every(({ dtype }) => dtype === 'float32');
    const y = floats ? own(call) : undefined;
    return y ?? (before!.kernelFunc(call as never) as Info);
  };
  tf.registerKernel({ ...before, kernelName, backendName: 'wasm', kernelFunc: kernelFunc as never });
}

export function addressOf(backend: Backend, { dataId }: Info): number {
  return backend.dataIdMap.get(dataId).memoryOffset >>> 0;
}

/** Memory for the time of a call. */
export function withBytes(backend: Backend, bytes: number, use: (address: number) => void): void {
  const address = backend.wasm._malloc(bytes) >>> 0;
  if (address === 0) throw new RangeError(`no ${bytes} bytes are left in the WebAssembly memory`);
  try {
    use(address);
  } finally {
    backend.wasm._free(address);
  }
}
