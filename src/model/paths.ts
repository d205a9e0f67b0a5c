/** The folder part of a path: `a/b.spike` → `a`, `b.spike` → `.`. */
export function folderOf(path: string): string {
  const slashes = path.replaceAll('\\', '/');
  const at = slashes.lastIndexOf('/');
  if (at === -1) return '.';
  return at === 0 ? '/' : normalise(slashes.slice(0, at));
}

/** Whether a path of the model file is relative and written with `/`. */
export function isRelative(path: string): boolean {
  return !path.startsWith('/') && !path.includes('\\') && !/^[A-Za-z]:/.test(path) && !path.includes('\0');
}

/** `folder/path` without `.` and `..` where possible. */
export function join(folder: string, path: string): string {
  return normalise(isRelative(path) ? `${folder}/${path}` : path.replaceAll('\\', '/'));
}

/** Whether the normalised `path` lies in the normalised `folder`, judged by the text alone. */
export function isInside(folder: string, path: string): boolean {
  if (folder === '.')
    return !path.startsWith('/') && path !== '..' && !path.startsWith('../') && !/^[A-Za-z]:/.test(path);
  const prefix = folder.endsWith('/') ? folder : `${folder}/`;
  return path.startsWith(prefix) && !path.slice(prefix.length).startsWith('..');
}

function normalise(path: string): string {
  const absolute = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !absolute) parts.push(part);
  }
  const joined = parts.join('/');
  if (absolute) return `/${joined}`;
  return joined === '' ? '.' : joined;
}
