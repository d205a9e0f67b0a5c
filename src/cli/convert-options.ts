import type { Command } from 'commander';
import { type Owners, refuseIdle, refuseWithout, usageError } from './idle.js';
import {
  type ConversionCoding,
  type Encoder,
  balancedCodings,
  isTimedCoding,
  timedCodings,
} from '../workspace/types.js';

const owners: Owners = {
  silent: ['sws'],
  keep: ['sws'],
  margin: ['sws'],
  beta: ['sws', 'burst'],
  encoder: ['sws', 'rate', 'signed', ...timedCodings],
  seed: ['rate', 'signed'],
  balance: balancedCodings,
  look: ['offset'],
  period: ['phase'],
  theta: ['burst'],
  longest: ['burst'],
  tau: ['ttfs'],
  integer: ['mbif'],
  fraction: ['mbif'],
  largest: ['ibra'],
  perUnit: ['ibra'],
};

/** Options of silent periods that are chosen on inputs. */
const autoOnly: Owners = { keep: ['auto'], margin: ['auto'] };

/** Options of spikes that are drawn. */
const drawnOnly: Owners = { seed: ['bernoulli'] };

const mostBits = 16;

interface CodingFlags {
  readonly coding: ConversionCoding;
  readonly silent?: number | 'auto' | 'proven';
  readonly encoder?: Encoder;
  readonly look?: number;
  readonly steps?: number;
  readonly integer?: number;
  readonly fraction?: number;
  readonly largest?: number;
  readonly perUnit?: number;
}

/** Refuses what doesn't belong to the coding or can't be, before any file is read. */
export function checkConvertFlags(command: Command, flags: CodingFlags): void {
  refuseIdle(command, owners, flags.coding, (coding) => `\`--coding ${coding}\``);
  refuseWithout(command, 'calibrate', ['percentile', 'balance', 'limit', 'dataDir', 'layout']);
  if ((flags.silent ?? 'auto') !== 'auto')
    refuseIdle(command, autoOnly, String(flags.silent), (silent) => `\`--silent ${silent}\``);
  const own = encodersOf(flags.coding);
  if (flags.encoder !== undefined && !own.includes(flags.encoder)) {
    const would = `${own.slice(0, -1).join(', ')} or ${own.at(-1)}`;
    usageError(command, `'--encoder' ${flags.encoder}: with \`--coding ${flags.coding}\` it is ${would}`);
  }
  refuseWithout(command, 'encoder', ['seed']);
  if (flags.encoder !== 'bernoulli')
    refuseIdle(command, drawnOnly, flags.encoder ?? 'real', (one) => `\`--encoder ${one}\``);
  if (flags.coding === 'mbif') checkBits(command, flags);
  if (flags.coding === 'binary' && (flags.steps ?? 1) > mostBits) {
    usageError(command, `'--steps' ${flags.steps}: \`--coding binary\` sends a bit a step, ${mostBits} at most`);
  }
  if (flags.coding === 'ibra') checkLevels(command, flags);
  if (flags.coding === 'ibra' && (flags.steps ?? 1) > 1) {
    usageError(command, `'--steps' ${flags.steps}: neurons of \`--coding ibra\` carry means at 1 step only`);
  }
}

/** What an encoder of a coding may be. */
function encodersOf(coding: ConversionCoding): readonly Encoder[] {
  if (coding === 'sws') return ['exact', 'drive'];
  return isTimedCoding(coding) ? ['spikes', 'real'] : ['real', 'bernoulli', 'regular'];
}

function checkBits(command: Command, { integer = 1, fraction = 3 }: CodingFlags): void {
  const bits = integer + fraction;
  if (bits >= 1 && bits <= mostBits) return;
  usageError(
    command,
    `'--integer' ${integer} and '--fraction' ${fraction} are ${bits} bits; a spike has 1 to ${mostBits} in all`,
  );
}

function checkLevels(command: Command, { largest = 5.11, perUnit = 100 }: CodingFlags): void {
  const product = largest * perUnit;
  const levels = Math.round(product);
  const values = `'--largest' ${largest} times '--per-unit' ${perUnit} is ${Number(product.toPrecision(12))}`;
  const most = 2 ** mostBits - 1;
  if (levels > most) usageError(command, `${values}; more than ${most} levels are more than ${mostBits} bits`);
  if (levels >= 1 && Math.abs(product - levels) <= 1e-9 * levels) return;
  const near = [Math.floor(product), Math.ceil(product)].filter((n) => n >= 1);
  const would = [...new Set(near)].map((n) => `'--largest' ${Number((n / perUnit).toPrecision(12))}`);
  usageError(command, `${values}, which has to be a whole number: ${would.join(' or ')} would do`);
}
