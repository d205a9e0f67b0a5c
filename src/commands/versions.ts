import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DiagnosticError } from '../base/diagnostics/index.js';
import { findCompiler } from '../engines/native/find-compiler.js';
import { installCommand, packagesOf } from '../engines/packages.js';
import { describePython } from '../train/python.js';
import { isFile, readText } from '../data/files.js';
import { packageVersion } from '../workspace/version.js';

/** What runs here, and with which versions of what it needs. */
export interface Versions {
  readonly spikec: string;
  readonly node: string;
  /** By engine: versions of its packages, or what is missing. */
  readonly engines: Readonly<Record<string, string>>;
}

/** What has packages of its own, in the order of the list. */
const listed = ['fused', 'onnxruntime', 'native', 'tfjs-wasm', 'tfjs-tensorflow'] as const;

export async function versions(): Promise<Versions> {
  const entries = listed.map(async (engine): Promise<[string, string]> => {
    const names = packagesOf(engine);
    const missing = names.filter((name) => versionOf(name) === undefined);
    if (missing.length > 0) return [engine, `not there: ${installCommand(engine, missing)}`];
    const there = names.map((name) => `${name} ${versionOf(name)}`);
    return [engine, [...there, ...(engine === 'native' ? [await compiler()] : [])].join(', ') || 'built in'];
  });
  return {
    spikec: packageVersion(),
    node: process.version,
    engines: { ...Object.fromEntries(await Promise.all(entries)), torch: describePython() },
  };
}

async function compiler(): Promise<string> {
  try {
    return (await findCompiler()).name;
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    return `no C compiler: ${error.diagnostics[0]!.help}`;
  }
}

/** The version of an installed package, whatever it exports. */
function versionOf(name: string): string | undefined {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(name) ?? []) {
    const path = join(folder, name, 'package.json');
    if (isFile(path)) return (JSON.parse(readText(path)) as { version: string }).version;
  }
  return undefined;
}
