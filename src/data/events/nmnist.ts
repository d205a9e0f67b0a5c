import { readBytes } from '../files.js';
import { EventList, type Events, failEvents } from './events.js';

const size = 5;
/** Rows from here on are no pixel: the event counts on the clock. */
const overflowRow = 240;
const overflowStep = 2 ** 13;

/**
 * N-MNIST's and N-Caltech101's `.bin`: 5 bytes an event: x, y, then 1 bit polarity and 23 bits µs, big end first. An event
 * of row 240 says that the clock overflowed: later times are 2^13 µs later.
 */
export function readAtisBin(path: string): Events {
  const bytes = readBytes(path);
  const whole = bytes.length - (bytes.length % size);
  if (whole !== bytes.length)
    failEvents(path, whole, `it ends in the middle of an event: ${bytes.length} bytes are no multiple of ${size}`, 'copy the file again');
  const list = new EventList(path, size);
  let passed = 0;
  for (let at = 0; at < whole; at += size) {
    const time = ((bytes[at + 2]! & 0x7f) << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!;
    if (bytes[at + 1] === overflowRow) passed += overflowStep;
    else list.add(time + passed, bytes[at]!, bytes[at + 1]!, bytes[at + 2]! >> 7, at);
  }
  return list.done();
}
