import type { Tensor } from '../base/dtype.js';
import { type Program, type ProgramInput, isBatch, showType } from '../tensor/index.js';

/** A state of an opened program: an input, and the output that is its value at the next step. */
export interface StatePort {
  readonly id: string;
  readonly input: ProgramInput;
  /** Name of the output. */
  readonly next: string;
}

/** What a program is fed, gives and keeps. */
export interface Ports {
  readonly states: readonly StatePort[];
  /** Inputs that are no states. */
  readonly fed: readonly ProgramInput[];
  /** Output name → value id, without next values of states. */
  readonly returned: Readonly<Record<string, string>>;
}

/** Sorts a program's inputs and outputs. Throws a TypeError for states that it doesn't have. */
export function portsOf(program: Program, initial: ReadonlyMap<string, Tensor> = new Map()): Ports {
  const types = new Map([...program.inputs, ...program.params, ...program.ops].map((value) => [value.id, value]));
  const states = [...initial].map(([id, value]): StatePort => {
    const input = program.inputs.find((one) => one.id === id);
    const next = `next.${id}`;
    const result = types.get(program.outputs[next] ?? '');
    if (input === undefined || result === undefined) {
      throw new TypeError(`program "${program.name}" has no state "${id}": an input "${id}" and an output "${next}"`);
    }
    if (input.shape.some(isBatch) || showType(input) !== showType(result)) {
      throw new TypeError(`state "${id}" is ${showType(input)}, its next value ${showType(result)}: one fixed type`);
    }
    checkState(input, value);
    return { id, input, next };
  });
  const [ids, nexts] = [new Set(initial.keys()), new Set(states.map(({ next }) => next))];
  return {
    states,
    fed: program.inputs.filter(({ id }) => !ids.has(id)),
    returned: Object.fromEntries(Object.entries(program.outputs).filter(([name]) => !nexts.has(name))),
  };
}

/** Throws a TypeError unless the value is one of the state's type. */
export function checkState(input: ProgramInput, { dtype, shape }: Tensor): void {
  if (
    dtype !== input.dtype ||
    !shape.every((size, axis) => size === input.shape[axis]) ||
    shape.length !== input.shape.length
  ) {
    throw new TypeError(`state "${input.id}" is ${showType(input)}, not ${dtype}[${shape.join(',')}]`);
  }
}

/** The states of these ids; all where no ids are given. Throws a TypeError for others. */
export function chosenStates(states: readonly StatePort[], ids?: readonly string[]): readonly StatePort[] {
  if (ids === undefined) return states;
  const byId = new Map(states.map((state) => [state.id, state]));
  return ids.map((id) => {
    const state = byId.get(id);
    if (state === undefined) throw new TypeError(`"${id}" is no state of what was opened`);
    return state;
  });
}
