import type { Tensor } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { type Program, type ProgramPart, programParts } from '../tensor/index.js';
import type { Engine, OpenOptions } from './types.js';

/** Params that an engine holds at a time where a program is run in parts: 32 MB. */
export const partBytes = 3.2e7;

type Values = Readonly<Record<string, Tensor>>;

/** A program's steps, whatever of it is open meanwhile. */
export interface OpenedInParts {
  readonly step: (feeds: Values) => Promise<Values>;
  readonly dispose: () => Promise<void>;
}

/** Opens a program as it is, or where its params are large part by part anew at every step, so that few are held at a time. */
export async function openInParts(program: Program, engine: Engine, options: OpenOptions = {}): Promise<OpenedInParts> {
  const parts = programParts(program, partBytes);
  if (parts.length > 1)
    return { step: (feeds) => stepInParts(parts, engine, options, feeds), dispose: () => Promise.resolve() };
  const opened = await engine.open(program, options);
  return { step: (feeds) => opened.step(feeds), dispose: () => opened.dispose() };
}

async function stepInParts(
  parts: readonly ProgramPart[],
  engine: Engine,
  options: OpenOptions,
  feeds: Values,
): Promise<Values> {
  const values = new Map(Object.entries(feeds));
  const outputs: Record<string, Tensor> = {};
  for (const { program, kept, last } of parts) {
    const given = Object.fromEntries(program.inputs.map(({ id }) => [id, present(values.get(id), `engine: no ${id}`)]));
    const opened = await engine.open(program, options);
    try {
      for (const [name, value] of Object.entries(await opened.step(given))) {
        if (name in kept) values.set(kept[name]!, value);
        else outputs[name] = value;
      }
    } finally {
      await opened.dispose();
    }
    for (const id of last) values.delete(id);
  }
  return outputs;
}
