import { readFileSync } from 'node:fs';

/** Every construct of the language, in the formatter's layout. */
export const kitchenSink = readFileSync(new URL('../golden/kitchen-sink/model.spike', import.meta.url), 'utf8');
