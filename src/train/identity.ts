import { createHash } from 'node:crypto';
import type { TrainSettings } from './settings.js';

/** What must be equal to go on with a training: the network, the data, and all settings but the length and where values lie. */
export interface Identity {
  /** SHA-256 of the network's text form. */
  readonly network: string;
  readonly data: string;
  /** How many images the data set has. */
  readonly images: number;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** `text` is the network's text form. */
export function identityOf(text: string, data: string, images: number, settings: TrainSettings): Identity {
  const { epochs: _epochs, patience: _patience, memory: _memory, ...rest } = settings;
  const network = createHash('sha256').update(text).digest('hex');
  return { network, data, images, settings: JSON.parse(JSON.stringify(rest)) as Record<string, unknown> };
}

/** What model files call settings, where it is something else. */
const names: Readonly<Record<string, string>> = {
  rate: 'the learning rate `lr`',
  normalisation: 'normalize',
  weightDecay: 'weight_decay',
  rateFactors: 'bits: learning rate',
  penalties: 'bits: penalty',
};

/** What differs between two trainings beside the network, with both values, in the words of the model file. */
export function differences(there: Identity, here: Identity): readonly string[] {
  const found: string[] = [];
  const say = (what: string, a: unknown, b: unknown): void =>
    void found.push(`${what} is ${shown(a)} in it, ${shown(b)} here`);
  if (there.data !== here.data) say('the data', there.data, here.data);
  else if (there.images !== here.images) found.push(`the data had ${there.images} images, and has ${here.images}`);
  const [a, b] = [flat(there.settings), flat(here.settings)];
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    if (a.get(key) !== b.get(key)) say(wordsOf(key), a.get(key), b.get(key));
  }
  return found;
}

/** `optimizer.beta1` → 0.9 */
function flat(value: unknown, path = '', into = new Map<string, unknown>()): Map<string, unknown> {
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) flat(inner, path === '' ? key : `${path}.${key}`, into);
  } else into.set(path, value);
  return into;
}

function wordsOf(path: string): string {
  const words = path.split('.').map((part) => names[part] ?? part);
  const last = words.at(-1)!;
  if (last === 'kind') return words.slice(0, -1).join(' ');
  return words.join(' ');
}

function shown(value: unknown): string {
  return value === undefined ? 'not set' : typeof value === 'string' ? value : JSON.stringify(value);
}
