import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isFile } from '../data/index.js';
import { diskLoader, libraryFolder } from '../workspace/files.js';
import type { Host } from './host.js';

/** A scheme of two letters or more: one letter is a drive. */
const scheme = /^[a-z][a-z0-9+.-]+:/i;

/** Documents are files, or not saved yet; what they use are files. */
export const diskHost: Host = {
  nameOf(uri) {
    if (!uri.startsWith('file:')) return uri;
    try {
      return fileURLToPath(uri);
    } catch {
      // a host name or an escape that no path has
      return undefined;
    }
  },
  uriOf(name) {
    if (name.startsWith('spikec/')) return fileUri(join(libraryFolder(), `${name.slice('spikec/'.length)}.spike`));
    return scheme.test(name) ? name : pathToFileURL(name).href;
  },
  loader: (name) => diskLoader(name, false),
  exists: isFile,
};

function fileUri(path: string): string | undefined {
  return isFile(path) ? pathToFileURL(path).href : undefined;
}
