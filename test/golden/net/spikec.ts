import { driver } from '../../../src/commands/index.js';
import { spikec } from '../../cli/fake.js';

/** Runs a command line within this process, with the real driver, and gives what it prints as JSON. */
export async function spikecJson(args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await spikec([...args, '--json'], driver);
  // 1 is `diff` saying that the networks differ
  if (code > 1 || (code === 1 && args[0] !== 'diff')) throw new Error(`spikec ${args.join(' ')}: exit ${code}\n${err}`);
  return JSON.parse(out) as Record<string, unknown>;
}
