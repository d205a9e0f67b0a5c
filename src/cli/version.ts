import { createRequire } from 'node:module';

/** The version in package.json: two folders up from the source, three from the build. */
export function version(): string {
  const require = createRequire(import.meta.url);
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const manifest = require(path) as { name?: string; version?: string };
      if (manifest.name === 'spikec' && manifest.version !== undefined) return manifest.version;
    } catch {
      // the other place
    }
  }
  return 'unknown';
}
