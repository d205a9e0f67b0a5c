import { elementCount } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import { type Network, opsById } from '../../network/index.js';
import { type Program, concreteShape } from '../../tensor/index.js';
import { Arena } from './arena.js';
import { typeDefinitions } from './ctypes.js';
import { ProgramEmitter } from './program/emit.js';
import { comment, identifier } from './source.js';
import { NotInteger } from './not-integer.js';
import { DirectEmitter } from './trains/direct.js';
import { StepwiseEmitter } from './trains/stepwise.js';
import { Source } from './unit.js';
import { packedWeights } from './weights.js';

/** What a network needs of a microcontroller, in bytes, known before it is compiled. */
export interface CMemory {
  /** Constant arrays: weights at their bits, biases, tables. The code comes on top. */
  readonly flash: number;
  /** The working memory, all of it static. */
  readonly ram: number;
}

export interface CFiles {
  /** Name → text: a header and a source. */
  readonly files: ReadonlyMap<string, string>;
  readonly memory: CMemory;
  readonly notes: readonly string[];
}

/** A network to be written as C, with the program of its inference. */
export interface CRequest {
  readonly network: Network;
  readonly program: Program;
}

/** An argument of `NAME_run`. */
interface Argument {
  readonly id: string;
  readonly name: string;
  readonly count: number;
  readonly doc: string;
}

/** A network as a C99 header and source that need nothing else: no heap, no library beyond the standard's. */
export function emitC({ network, program }: CRequest): CFiles {
  const inputs = argumentsOf(
    program.inputs.map(({ id, shape }) => ({ id, shape: concreteShape(shape, 1) })),
    'input',
  );
  try {
    return written(network, inputs, inIntegers(network, inputs), 'in integers', []);
  } catch (error) {
    if (!(error instanceof NotInteger)) throw error;
    return written(network, inputs, byProgram(network, program, inputs), 'in floating point', [
      `C in floating point: ${error.message}`,
    ]);
  }
}

interface Body {
  readonly source: Source;
  readonly arena: Arena;
  readonly outputs: readonly Argument[];
}

/** Layer by layer over spikes in bits. */
function inIntegers(network: Network, inputs: readonly Argument[]): Body {
  const [source, arena] = [new Source(), new Arena()];
  const byId = opsById(network);
  const shapes = network.outputs.map((id) => ({ id, shape: present(byId.get(id), `c: no op ${id}`).type.shape }));
  const outputs = argumentsOf(shapes, 'output');
  emitterOf(network, source, arena).write(inputs, outputs);
  return { source, arena, outputs };
}

function emitterOf(network: Network, source: Source, arena: Arena): StepwiseEmitter | DirectEmitter {
  switch (network.coding?.name) {
    case 'sws':
      return new StepwiseEmitter(network, source, arena);
    case 'direct':
      return new DirectEmitter(network, source, arena);
    default:
      throw new NotInteger(network.ops[0]?.id ?? '', 'its coding has real values');
  }
}

/** The program of inference, whatever is in it. */
function byProgram(network: Network, program: Program, inputs: readonly Argument[]): Body {
  const [source, arena] = [new Source(), new Arena()];
  const emitter = new ProgramEmitter(program, source, arena, packedWeights(network));
  for (const { id, name: pointer } of inputs) emitter.input(id, { kind: 'pointer', text: pointer, type: 'f32' });
  let outputs: readonly Argument[] = [];
  emitter.write(() => {
    const given = Object.values(program.outputs).map((id) => ({ id, shape: emitter.info(id).shape }));
    outputs = argumentsOf(given, 'output');
    for (const { id, name: pointer, count } of outputs) {
      source.line(`{ uint32_t i; for (i = 0; i < ${count}u; i++) ${pointer}[i] = (float)${emitter.output(id, 'i')}; }`);
    }
  });
  return { source, arena, outputs };
}

function written(
  network: Network,
  inputs: readonly Argument[],
  { source, arena, outputs }: Body,
  how: string,
  notes: readonly string[],
): CFiles {
  const name = identifier(network.name);
  const ram = arena.layOut();
  const parameters = [
    ...inputs.map((one) => `const float *${one.name}`),
    ...outputs.map((one) => `float *${one.name}`),
  ];
  const signature = `void ${name}_run(${parameters.join(', ')})`;
  const title = `${comment(network.name)} ${how}: made by spikec.`;
  const text = source.text({
    head: `/* ${title} */\n#include "${name}.h"\n\n${typeDefinitions.trimEnd()}`,
    open: `${signature} {`,
    close: '}',
    arena: ram,
  });
  const memory = { flash: source.flash, ram };
  const header = headerText(name, title, signature, { inputs, outputs }, memory);
  return {
    files: new Map([
      [`${name}.h`, header],
      [`${name}.c`, text],
    ]),
    memory,
    notes,
  };
}

function argumentsOf(
  values: readonly { readonly id: string; readonly shape: readonly number[] }[],
  what: string,
): readonly Argument[] {
  return values.map(({ id, shape }, i) => ({
    id,
    name: values.length === 1 ? what : `${what}${i}`,
    count: elementCount(shape),
    doc: `${comment(id)}, [${shape.slice(shape[0] === 1 ? 1 : 0).join(', ')}]`,
  }));
}

function headerText(
  name: string,
  title: string,
  signature: string,
  { inputs, outputs }: { readonly inputs: readonly Argument[]; readonly outputs: readonly Argument[] },
  { flash, ram }: CMemory,
): string {
  const upper = name.toUpperCase();
  const define = (one: Argument): string =>
    `#define ${upper}_${one.name.toUpperCase()}_SIZE ${one.count} /* ${one.doc} */`;
  return `/*
 * ${title} C99, no heap, nothing beyond the standard library.
 * ${flash} bytes of constants, ${ram} bytes of static memory. Not reentrant: the working memory is shared by all calls.
 * Float results are the compiler's promise only without contraction of a*b+c: -std=c99 or -ffp-contract=off.
 */
#ifndef ${upper}_H
#define ${upper}_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

${[...inputs, ...outputs].map(define).join('\n')}

/* One sample through the network, from its first step: every call begins anew. */
${signature};

#ifdef __cplusplus
}
#endif

#endif
`;
}
