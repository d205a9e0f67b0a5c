import type { Command } from 'commander';
import { defined, withCommonFlags } from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import type { PassInfo } from '../commands/index.js';
import type { OptResult } from '../commands/opt.js';

interface OptFlags extends CommonFlags {
  readonly passes?: string;
  readonly out?: string;
  readonly printAfter?: string;
  readonly list?: boolean;
}

/** `spikec opt FILE.ir --passes LIST [-o DIR] [--print-after P]` */
export function addOpt(program: Command, host: Host): void {
  const command = program
    .command('opt')
    .summary('run passes on a network in text form')
    .description(
      'Run passes on a network in text form and print the network that they leave. Weights are read from weights.safetensors beside the file.',
    )
    .argument('[file]', 'FILE.ir, or a folder with network.ir')
    .option('--passes <list>', 'passes in order, with their options: PASS{OPTION=VALUE},PASS')
    .option('-o, --out <dir>', 'write the network and its weights to this folder instead of printing the network')
    .option('--print-after <pass>', 'print the network after this pass, or after all')
    .option('--list', 'list the passes and their options')
    .action((file: string | undefined, flags: OptFlags) => {
      if (flags.list === true) return list(host, flags);
      if (file === undefined) return command.error("error: missing required argument 'file'");
      if (flags.passes === undefined) return command.error("error: required option '--passes <list>' not specified");
      return opt(host, file, { ...flags, passes: flags.passes });
    });
  withCommonFlags(command, [
    "spikec opt network.ir --passes 'canonicalise,fold-batchnorm,dead-code'",
    `spikec opt network.ir --passes 'schedule-time{silent{"*": 2, "stage1.*": 4}}' -o timed`,
    'spikec opt --list',
  ]);
}

function list(host: Host, flags: CommonFlags): Promise<void> {
  return runCommand(host, flags, async ({ driver }) => {
    const passes = await driver.listPasses();
    return { text: passes.map(passText).join(''), json: { passes } };
  });
}

/** A pass, and below it its options. */
function passText({ name, doc, options }: PassInfo): string {
  const lines = options.map((option) => {
    const otherwise = option.required
      ? 'must be given'
      : option.default === undefined
        ? 'may be left out'
        : `without it ${option.default}`;
    return `    ${option.name}: ${option.values}; ${otherwise}. ${option.doc}\n      for example ${option.example}\n`;
  });
  return `${name}\n    ${doc}\n${lines.join('')}`;
}

function opt(host: Host, file: string, flags: OptFlags & { readonly passes: string }): Promise<void> {
  return runCommand(host, flags, async ({ driver, take }) => {
    const printed: { title: string; text: string }[] = [];
    const result = take(
      await driver.runPasses(file, {
        passes: flags.passes,
        onPrint: (title, text) => printed.push({ title, text }),
        ...defined({ outDir: flags.out, printAfter: flags.printAfter }),
      }),
    );
    const text = flags.printAfter === undefined ? final(result, flags) : printed.map(section).join('');
    return { text, json: flags.printAfter === undefined ? result : { ...result, printed } };
  });
}

function section({ title, text }: { readonly title: string; readonly text: string }): string {
  return `// ${title}\n${text.trimEnd()}\n\n`;
}

/** The network, or the files that it was written to. */
function final({ network, files, outDir }: OptResult, { quiet }: CommonFlags): string {
  if (outDir === undefined) return network;
  return quiet === true ? '' : files.map((name) => `  ${outDir}/${name}\n`).join('');
}
