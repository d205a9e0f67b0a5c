import { extname } from 'node:path';
import { fail } from '../../base/diagnostics/index.js';
import { readAedat2, type addresses } from './aedat2.js';
import { Aedat3 } from './aedat3.js';
import { readAedat4 } from './aedat4.js';
import { FileReader } from '../files.js';
import type { Events, Sensor } from './events.js';
import { readAtisBin } from './nmnist.js';
import { readNpzEvents } from './npz-events.js';

/** Ends of names of files that hold one recording. */
export const recordingEnds = ['.bin', '.aedat', '.aedat4', '.npz'] as const;

export interface ReadRecording {
  readonly events: Events;
  /** Where the file says it. */
  readonly sensor?: Sensor;
}

/** The sensor of a DVS128. */
export const dvs128: Sensor = { columns: 128, rows: 128 };

/** Reads one recording, by the end of its name. */
export function readRecording(path: string, layout?: keyof typeof addresses): ReadRecording {
  switch (extname(path).toLowerCase()) {
    case '.bin':
      return { events: readAtisBin(path) };
    case '.aedat4':
      return readAedat4(path);
    case '.npz':
      return { events: readNpzEvents(path) };
    default:
      return { events: readAedat(path, layout) };
  }
}

/** `.aedat`: the first line says which version it is. */
function readAedat(path: string, layout: keyof typeof addresses | undefined): Events {
  const version = versionOf(path);
  if (version.startsWith('3')) return new Aedat3(path).read();
  if (version.startsWith('2')) return readAedat2(path, layout);
  const reason = version === '' ? 'its first line names no version of AEDAT' : `AEDAT ${version} isn't read`;
  return fail('data/bad-events', { file: path, offset: 0, reason });
}

function versionOf(path: string): string {
  const file = new FileReader(path);
  try {
    return /^#!AER-DAT(\d+\.\d+)/.exec(new TextDecoder('latin1').decode(file.read(0, 32)))?.[1] ?? '';
  } finally {
    file.close();
  }
}
