import type { Command } from 'commander';
import type { InputShape } from '../base/input-shape.js';
import type { Blocker, CodingExamined, DoctorResult } from '../commands/index.js';
import { exitCode } from './exit.js';
import { defined, inputShapeOption, withCommonFlags } from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';

interface DoctorFlags extends CommonFlags {
  readonly inputShape?: readonly InputShape[];
}

/** `spikec doctor NET.onnx` */
export function addDoctor(program: Command, host: Host): void {
  const command = program
    .command('doctor')
    .summary('what converts of an ONNX file, and what blocks')
    .description(
      'Say under which coding an ONNX network converts, what blocks it (all of it, grouped), and how to get past that. Nothing is run or written; the exit code is 1 where nothing converts.',
    )
    .argument('<network>', 'ONNX file')
    .option(...inputShapeOption)
    .action((network: string, flags: DoctorFlags) =>
      runCommand(host, flags, async ({ driver, take }) => {
        const result = take(await driver.examineOnnx(network, defined({ inputShapes: flags.inputShape })));
        const none = result.codings.every(({ converts }) => converts === 'no');
        return { text: describe(result), json: result, code: none ? exitCode.wrongInput : exitCode.ok };
      }),
    );
  withCommonFlags(command, ['spikec doctor resnet50.onnx']);
}

function describe({ file, network, blockers, codings }: DoctorResult): string {
  const count = (n: number): string => n.toLocaleString('en');
  if (network === undefined) return `${file}: spikec can't read it\n${blockers.map(blockerText).join('')}`;
  const { layers, parameters, quantisers, unquantised } = network;
  const ranges = unquantised === 0 ? '' : `, ${count(unquantised)} activations without one`;
  const head = `${file}: ${count(layers)} layers, ${count(parameters)} parameters, ${count(quantisers)} quantisers${ranges}\n`;
  return head + codings.map(codingText).join('');
}

function codingText({ coding, converts, blockers, remedy }: CodingExamined): string {
  if (converts === 'yes') return `\n${coding}: converts\n`;
  if (converts === 'calibrate') return `\n${coding}: converts with data: ${remedy}\n`;
  return `\n${coding}: blocked\n${blockers.map(blockerText).join('')}`;
}

function blockerText({ count, message, places, remedy, code }: Blocker): string {
  const times = count === 1 ? '' : `${count} × `;
  const where = count === 1 ? '' : `    ${places.join(', ')}${places.length < count ? ', …' : ''}\n`;
  const help = remedy === undefined ? '' : `    = help: ${remedy}\n`;
  return `  ${times}${message} [${code}]\n${where}${help}`;
}
