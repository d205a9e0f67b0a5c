import { run } from '../../../src/cli/program.js';
import type { Terminal } from '../../../src/cli/terminal.js';
import { driver } from '../../../src/commands/index.js';

/** Runs a command line within this process, with the real driver, and gives what it prints as JSON. */
export async function spikecJson(args: readonly string[]): Promise<Record<string, unknown>> {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    interactive: false,
    colour: { out: false, err: false },
    columns: 80,
  };
  const code = await run([...args, '--json'], terminal, () => Promise.resolve(driver));
  // 1 is `diff` saying that the networks differ
  if (code > 1 || (code === 1 && args[0] !== 'diff')) throw new Error(`spikec ${args.join(' ')}: exit ${code}\n${err}`);
  return JSON.parse(out) as Record<string, unknown>;
}
