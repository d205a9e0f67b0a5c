import { usageError } from './idle.js';
import type { Command } from 'commander';
import { choice, defined, listOf, parseTarget, withCommonFlags, withOutsideFlag, withVerifyFlag } from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import { type Artifact, type Target, type VerifyLevel, artifacts, nirTools } from '../workspace/types.js';
import type { CompileResult } from '../commands/summary.js';

interface CompileFlags extends CommonFlags {
  readonly allowOutside?: boolean;
  readonly verify?: boolean | VerifyLevel;
  readonly emit?: readonly Artifact[];
  readonly out?: string;
  readonly printAfter?: string;
  readonly stopAfter?: string;
  readonly planes?: boolean;
  readonly memory?: boolean;
  readonly nirFor?: (typeof nirTools)[number];
  readonly nirExtensions?: boolean;
  readonly passes?: boolean;
  readonly timePasses?: boolean;
}

/** `spikec compile FILE[#CONFIG] [--emit …] [-o DIR] [--print-after P] [--stop-after P]` */
export function addCompile(program: Command, host: Host): void {
  const command = program
    .command('compile')
    .summary('compile a model file')
    .description('Compile a configuration of a model file to a folder of artifacts, or print its IR.')
    .argument('[target]', 'FILE or FILE#CONFIG, a folder, NAME.ir or NAME.nir', parseTarget)
    .option('--emit <list>', `what to write: ${artifacts.join(', ')} (default: ir,json)`, listOf(artifacts))
    .option('-o, --out <dir>', 'folder of the artifacts (default: build/NAME, of a named config build/NAME-CONFIG)')
    .option('--print-after <pass>', 'print the network after this pass, or after all')
    .option('--stop-after <pass>', 'stop after this pass')
    .option('--planes', 'multi-bit spikes as binary planes in virtual time steps')
    .option('--memory', 'print how much flash and memory the emitted C needs; writes only where -o says')
    .addOption(choice('--nir-for <tool>', 'whose reading of NIR an emitted file is for (default: nir)', nirTools))
    .option('--nir-extensions', 'what NIR can’t say as metadata of the emitted file, which spikec reads back')
    .option('--passes', 'list the passes')
    .option('--time-passes', 'print how long each pass took')
    .action((target: Target | undefined, flags: CompileFlags) => {
      if (flags.passes === true) return listPasses(host, flags);
      if (target === undefined) return command.error("error: missing required argument 'target'");
      const emitted = flags.emit ?? [];
      if (flags.nirFor !== undefined && !emitted.includes('nir'))
        usageError(command, "option '--nir-for' does nothing without '--emit nir'");
      if (flags.nirExtensions === true && !emitted.includes('nir'))
        usageError(command, "option '--nir-extensions' does nothing without '--emit nir'");
      if (flags.memory === true && flags.emit !== undefined && !emitted.includes('c'))
        usageError(command, "option '--memory' does nothing without '--emit c', which it means alone");
      return compile(host, target, flags);
    });
  withCommonFlags(withVerifyFlag(withOutsideFlag(command)), [
    'spikec compile lenet5.spike --emit ir,onnx -o build/lenet5',
    'spikec compile lenet5.spike#fast --print-after schedule-time',
  ]);
}

function listPasses(host: Host, flags: CommonFlags): Promise<void> {
  return runCommand(host, flags, async ({ driver }) => {
    const passes = await driver.listPasses();
    const width = Math.max(...passes.map((p) => p.name.length));
    return { text: passes.map((p) => `${p.name.padEnd(width)}  ${p.doc}\n`).join(''), json: { passes } };
  });
}

function compile(host: Host, target: Target, flags: CompileFlags): Promise<void> {
  return runCommand(host, flags, async ({ driver, progress, take }) => {
    const printed: { title: string; text: string }[] = [];
    const printing = flags.printAfter !== undefined || flags.stopAfter !== undefined;
    // Who only looks at the IR gets no folder unless one is asked for.
    const memory = flags.memory === true;
    const writes = flags.out !== undefined || (!memory && (flags.emit !== undefined || !printing));
    const result = take(
      await driver.compileTarget(target, {
        emit: flags.emit ?? (memory ? ['c'] : ['ir', 'json']),
        memory,
        allowOutside: flags.allowOutside === true,
        onProgress: progress,
        onPrint: (title, text) => printed.push({ title, text }),
        ...(writes ? { outDir: flags.out ?? defaultFolder(target) } : {}),
        ...defined({
          printAfter: flags.printAfter,
          stopAfter: flags.stopAfter,
          verify: flags.verify,
          planes: flags.planes,
          nirFor: flags.nirFor,
          nirExtensions: flags.nirExtensions,
        }),
      }),
    );
    const quiet = flags.quiet === true;
    const text = [
      ...printed.map((p) => `// ${p.title}\n${p.text.trimEnd()}\n\n`),
      ...(flags.timePasses === true ? result.passes.map(passTime) : []),
      ...(quiet ? [] : [summary(result)]),
    ].join('');
    return { text, json: printing ? { ...result, printed } : result };
  });
}

function defaultFolder({ path, config }: Target): string {
  const name = path.split(/[/\\]/).at(-1) ?? path;
  // behind a NIR file's name stand options, no config
  if (name.endsWith('.nir')) return `build/${name.slice(0, -'.nir'.length)}`;
  const stem = name.replace(/\.spike$/, '');
  return `build/${stem}${config === undefined ? '' : `-${config}`}`;
}

function passTime({ pass, milliseconds }: CompileResult['passes'][number]): string {
  return `${milliseconds.toFixed(1).padStart(9)} ms  ${pass}\n`;
}

/** `lenet5: 23 layers, 61,706 parameters, latency 18 steps` and the files below. */
export function summary(result: CompileResult): string {
  const count = (n: number): string => n.toLocaleString('en');
  const latency = result.latency_steps === undefined ? '' : `, latency ${result.latency_steps} steps`;
  const head = `${result.name}: ${count(result.ops)} layers, ${count(result.parameters)} parameters${latency}\n`;
  const notes = result.notes.map((note) => `  note: ${note}\n`).join('');
  const files = result.files.map((file) => `  ${result.outDir ?? '.'}/${file}\n`).join('');
  return head + notes + memoryText(result) + nirText(result) + files;
}

/** Of each layer its node in NIR, and whether it is faithful: `  conv  Conv2d  faithful`. */
function nirText({ nir = [] }: CompileResult): string {
  const [ids, types] = [nir.map(({ layer }) => layer), nir.map(({ type }) => type)].map((texts) =>
    Math.max(0, ...texts.map(({ length }) => length)),
  ) as [number, number];
  const line = ({ layer, type, rating, why }: (typeof nir)[number]): string =>
    `  NIR: %${layer.padEnd(ids)}  ${type.padEnd(types)}  ${rating}${why === undefined ? '' : `: ${why}`}\n`;
  return nir.map(line).join('');
}

/** `  C: 65,900 bytes of constants in flash, 17,824 bytes of memory`. */
function memoryText({ memory }: CompileResult): string {
  if (memory === undefined) return '';
  const count = (n: number): string => n.toLocaleString('en');
  return `  C: ${count(memory.flash)} bytes of constants in flash, ${count(memory.ram)} bytes of memory\n`;
}
