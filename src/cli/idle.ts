import type { Command } from 'commander';

/** What some option belongs to, by the option's attribute: `silent` → [`sws`]. Options that aren't listed belong to all. */
export type Owners = Readonly<Record<string, readonly string[]>>;

/** Ends a command line with `cli/usage`. */
export function usageError(command: Command, problem: string): never {
  command.error(`error: ${problem}`, { exitCode: 1, code: 'spikec.usage' });
}

/** The attributes of the options that stand on the command line. */
function given(command: Command): ReadonlyMap<string, string> {
  const there = command.options.filter((o) => command.getOptionValueSource(o.attributeName()) === 'cli');
  return new Map(there.map((option) => [option.attributeName(), option.long ?? option.flags]));
}

/** Refuses an option that does nothing for what was chosen: nothing that is written is ignored without a word. */
export function refuseIdle(command: Command, owners: Owners, chosen: string, say: (name: string) => string): void {
  for (const [attribute, long] of given(command)) {
    const mine = owners[attribute];
    if (mine === undefined || mine.includes(chosen)) continue;
    usageError(command, `option '${long}' belongs to ${mine.map(say).join(', ')}, not to ${say(chosen)}`);
  }
}

/** Refuses options that do something only together with another one. */
export function refuseWithout(command: Command, needed: string, dependents: readonly string[]): void {
  const there = given(command);
  if (there.has(needed)) return;
  const idle = dependents.map((attribute) => there.get(attribute)).find((long) => long !== undefined);
  const long = command.options.find((option) => option.attributeName() === needed)?.long ?? needed;
  if (idle !== undefined) usageError(command, `option '${idle}' does nothing without '${long}'`);
}

/** Options that add up, by what they are called: once for each input. */
const adding: ReadonlySet<string> = new Set(['input-shape']);

/** Refuses an option with a value that is given twice, of which only the last would count. */
export function refuseRepeated(command: Command): void {
  const single = command.options.filter(({ required, optional, variadic }) => (required || optional) && !variadic);
  for (const option of single.filter((one) => !adding.has(one.name()))) {
    let seen = false;
    command.on(`option:${option.name()}`, () => {
      if (seen) usageError(command, `option '${option.long ?? option.flags}' is given twice`);
      seen = true;
    });
  }
}
