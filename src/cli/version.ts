import type { Terminal } from './terminal.js';

/** Whether a command line asks for the version with everything that matters beside it. */
export function asksForVersions(args: readonly string[]): boolean {
  const known = ['--version', '-V', '--verbose', '--json'];
  return (
    args.includes('--verbose') &&
    args.some((arg) => arg === '--version' || arg === '-V') &&
    args.every((arg) => known.includes(arg))
  );
}

/** `spikec --version --verbose`: versions of Node and of what the engines are made of. */
export async function printVersions(terminal: Terminal, json: boolean): Promise<void> {
  const { versions } = await import('../commands/versions.js');
  const found = await versions();
  if (json) {
    terminal.out(`${JSON.stringify({ ...found, diagnostics: [] })}\n`);
    return;
  }
  const width = Math.max(...Object.keys(found.engines).map((name) => name.length));
  const lines = Object.entries(found.engines).map(([name, what]) => `  ${name.padEnd(width)}  ${what}\n`);
  terminal.out(`spikec ${found.spikec}\nnode ${found.node}\nengines\n${lines.join('')}`);
}
