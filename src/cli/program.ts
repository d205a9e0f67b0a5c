import { Command, CommanderError } from 'commander';
import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import { InvariantError } from '../base/invariant.js';
import { exitCode } from './exit.js';
import { refuseRepeated } from './idle.js';
import { withVerifyAlone } from './options.js';
import { diagnosticJson, printable, renderDiagnostics } from './render.js';
import type { Host, Interrupt } from './session.js';
import type { Terminal } from './terminal.js';
import { packageVersion } from '../workspace/version.js';
import type { Driver } from '../commands/index.js';

type Add = (program: Command, host: Host) => void;

/** Every command by its name, in the order of the help, loaded when it is asked for. */
const commands: Readonly<Record<string, () => Promise<Add>>> = {
  init: async () => (await import('./init.js')).addInit,
  check: async () => (await import('./check.js')).addCheck,
  fmt: async () => (await import('./fmt.js')).addFmt,
  compile: async () => (await import('./compile.js')).addCompile,
  convert: async () => (await import('./convert.js')).addConvert,
  doctor: async () => (await import('./doctor.js')).addDoctor,
  train: async () => (await import('./train.js')).addTrain,
  eval: async () => (await import('./eval.js')).addEval,
  'compare-codings': async () => (await import('./compare-codings.js')).addCompareCodings,
  data: async () => (await import('./data.js')).addData,
  allocate: async () => (await import('./allocate.js')).addAllocate,
  cost: async () => (await import('./cost.js')).addCost,
  diff: async () => (await import('./diff.js')).addDiff,
  entropy: async () => (await import('./entropy.js')).addEntropy,
  opt: async () => (await import('./opt.js')).addOpt,
  picture: async () => (await import('./picture.js')).addPicture,
  report: async () => (await import('./report.js')).addReport,
  explain: async () => (await import('./explain.js')).addExplain,
  lsp: async () => (await import('./lsp.js')).addLsp,
  completion: async () => (await import('./completion.js')).addCompletion,
};

/** The command line with all commands, or with the one that is named; nothing runs before it is parsed. */
async function buildProgram(host: Host, only?: string): Promise<Command> {
  const program = new Command('spikec')
    .description('A compiler for spiking neural networks.')
    .version(packageVersion(), '-V, --version', 'print the version (with --verbose also those of the engines)')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.terminal.out(text),
      writeErr: (text) => host.terminal.err(text),
      // wrong usage is said as every other diagnostic is, by `run`
      outputError: () => undefined,
    })
    .configureHelp({ showGlobalOptions: false })
    .addHelpText(
      'after',
      '\nExample:\n  $ spikec convert lenet5.onnx -o lenet5 && spikec eval lenet5/lenet5.spike --data mnist:test\n',
    );
  // Completion asks what there is of the others.
  const one = only !== undefined && only !== 'completion' && Object.hasOwn(commands, only) ? commands[only] : undefined;
  for (const load of one === undefined ? Object.values(commands) : [one]) (await load())(program, host);
  // Subcommands made before exitOverride was inherited would end the process themselves.
  for (const command of program.commands) {
    command.copyInheritedSettings(program);
    refuseRepeated(command);
  }
  return program;
}

/** The command line as its manual describes it: what runs it isn't there. */
export function programForDocs(): Promise<Command> {
  const nothing = (): never => {
    throw new InvariantError('cli: a manual runs nothing');
  };
  const terminal = { out: nothing, err: nothing } as unknown as Terminal;
  return buildProgram({ terminal, driver: nothing, exit: nothing, interrupt: {} });
}

/** Runs one command line (without `node` and the script) and gives its exit code. */
export async function run(
  args: readonly string[],
  terminal: Terminal,
  driver: () => Promise<Driver>,
  interrupt: Interrupt = {},
): Promise<number> {
  let code: number = exitCode.ok;
  const host: Host = { terminal, driver, exit: (value) => (code = value), interrupt };
  const program = await buildProgram(host, args[0]);
  try {
    await program.parseAsync(withVerifyAlone(args), { from: 'user' });
    return code;
  } catch (error) {
    // Commander ends with an error also after help and version; it has printed what there is to say.
    if (error instanceof CommanderError && error.exitCode === 0) return exitCode.ok;
    const found = error instanceof CommanderError ? usage(error, args) : reportBug(error, terminal);
    // Without a command the help is printed, which says more.
    if (error instanceof CommanderError && error.code !== withoutCommand) {
      terminal.err(renderDiagnostics([found], { colour: terminal.colour.err }));
    }
    if (wantsJson(args)) terminal.out(`${JSON.stringify({ diagnostics: [diagnosticJson(found)] })}\n`);
    return exitCode.usage;
  }
}

/** Whether the command line asks for JSON, even if it can't be understood otherwise. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).includes('--json');
}

/** What Commander throws where it printed the help for want of a command. */
const withoutCommand = 'commander.help';

function usage({ code, message }: CommanderError, args: readonly string[]): Diagnostic {
  const [first, second] = message.replace(/^error: /, '').split('\n') as [string, string?];
  const problem = code === withoutCommand ? 'a command is missing' : first;
  const near = /^\(Did you mean (.*)\)$/.exec(second ?? '')?.[1];
  const named = args.find((word) => !word.startsWith('-'));
  const command = named !== undefined && Object.hasOwn(commands, named) ? named : 'COMMAND';
  const list = `\`spikec ${command} --help\` lists what there is`;
  return diagnostic('cli/usage', { problem }, undefined, {
    help: near === undefined ? list : `did you mean ${near} ${list}`,
  });
}

/** Anything that is not a diagnostic is our mistake. */
function reportBug(error: unknown, terminal: Terminal): Diagnostic {
  const message = error instanceof Error ? error.message : String(error);
  const kind = error instanceof Error && !(error instanceof InvariantError) ? `${error.name}: ` : '';
  const first = printable(message.split('\n')[0] ?? '').slice(0, 300);
  const found = diagnostic('cli/bug', { problem: `${kind}${first}` }, undefined, {
    help: 'please report it with the command and its input',
  });
  terminal.err(`${found.message}\n`);
  if (process.env['SPIKEC_DEBUG'] === '1') {
    terminal.err(`${error instanceof Error ? (error.stack ?? message) : message}\n`);
  } else {
    terminal.err('Please report it with the command and its input; SPIKEC_DEBUG=1 adds what a report needs.\n');
  }
  return found;
}
