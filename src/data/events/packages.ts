import { createRequire } from 'node:module';
import { fail } from '../../base/diagnostics/index.js';

/** A package that is installed only where it is needed; `what` can't be read without it. */
export async function importPackage(name: string, what: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (error) {
    return missing(error, name, what);
  }
}

/** The same, at once, of a package that can be required. */
export function requirePackage(name: string, what: string): unknown {
  try {
    return createRequire(import.meta.url)(name);
  } catch (error) {
    return missing(error, name, what);
  }
}

function missing(error: unknown, path: string, what: string): never {
  if (!(error instanceof Error && 'code' in error)) throw error;
  const [name = path] = path.split('/');
  return fail('data/package-missing', { what, name }, undefined, { help: `npm install ${name}` });
}
