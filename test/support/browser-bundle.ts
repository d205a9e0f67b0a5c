import { rolldown } from 'rolldown';

/**
 * A module with all that it imports as one script for a browser, which sets the global `name`; and what it imports besides,
 * which it must not.
 */
export async function browserBundle(
  input: string,
  name: string,
): Promise<{ readonly code: string; readonly outside: readonly string[] }> {
  const outside: string[] = [];
  const bundle = await rolldown({
    input,
    platform: 'browser',
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    external: (id) => {
      if (id.startsWith('node:')) outside.push(id);
      return id.startsWith('node:');
    },
    onLog: (_, log) => {
      if (log.code === 'UNRESOLVED_IMPORT') outside.push(log.message);
    },
  });
  const { output } = await bundle.generate({ format: 'iife', name, codeSplitting: false });
  await bundle.close();
  return { code: output[0].code, outside };
}
