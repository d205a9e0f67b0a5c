import type { Command } from 'commander';
import { type Owners, refuseIdle, refuseWithout, usageError } from './idle.js';
import { type ConversionCoding, timedCodings } from '../workspace/types.js';

const owners: Owners = {
  silent: ['sws'],
  keep: ['sws'],
  margin: ['sws'],
  beta: ['sws', 'burst'],
  encoder: ['sws', ...timedCodings],
  balance: ['rate'],
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

const mostBits = 16;

interface CodingFlags {
  readonly coding: ConversionCoding;
  readonly silent?: number | 'auto' | 'proven';
  readonly encoder?: string;
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
  const ofSws = flags.encoder === 'exact' || flags.encoder === 'drive';
  if (flags.encoder !== undefined && ofSws !== (flags.coding === 'sws')) {
    const would = flags.coding === 'sws' ? 'exact or drive' : 'spikes or real';
    usageError(command, `'--encoder' ${flags.encoder}: with \`--coding ${flags.coding}\` it is ${would}`);
  }
  if (flags.coding === 'mbif') checkBits(command, flags);
  if (flags.coding === 'binary' && (flags.steps ?? 1) > mostBits) {
    usageError(command, `'--steps' ${flags.steps}: \`--coding binary\` sends a bit a step, ${mostBits} at most`);
  }
  if (flags.coding === 'ibra') checkLevels(command, flags);
  if (flags.coding === 'ibra' && (flags.steps ?? 1) > 1) {
    usageError(command, `'--steps' ${flags.steps}: neurons of \`--coding ibra\` carry means at 1 step only`);
  }
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
