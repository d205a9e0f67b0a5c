import { fail } from '../base/diagnostics/index.js';
import type { Place } from '../base/source.js';
import type { Engine, Opened } from '../engines/index.js';

/** The engine, but a result that isn't finite ends the work: no figure can be trusted that is made of it. */
export function finiteOnly(engine: Engine, place?: Place): Engine {
  return {
    name: engine.name,
    open: async (program, options) => checked(await engine.open(program, options), place),
  };
}

function checked(executable: Opened, place: Place | undefined): Opened {
  return {
    ...executable,
    step: async (inputs) => {
      const results = await executable.step(inputs);
      for (const { data } of Object.values(results)) {
        const value = [Number.NaN, Infinity, -Infinity].find((wrong) => (data as Float32Array).includes(wrong));
        if (value !== undefined) {
          const help =
            'train again with a lower rate, or look for weights, ranges and --std that are 0, too large or no numbers';
          fail('network/not-finite', { value }, place, { help });
        }
      }
      return results;
    },
    dispose: () => executable.dispose(),
  };
}
