import { expect, it } from 'vitest';
import { tensor } from '../../src/base/dtype.js';
import { type NetworkDiff, diffNetworks } from '../../src/diff/index.js';
import { type Network, type Op, Rewriter, consumersOf, verifyNetwork } from '../../src/network/index.js';
import { seeded } from '../support/random-network.js';
import { zoo } from '../support/zoo.js';

/** Seeded choices of one mutation. */
class Choice {
  readonly #next: () => number;
  constructor(seed: number) {
    this.#next = seeded(seed + 1);
    for (let i = 0; i < 5; i++) this.#next();
  }
  of<T>(items: readonly T[]): T {
    return items[Math.floor(this.#next() * items.length)]!;
  }
}

interface Mutation {
  readonly network: Network;
  /** What the diff must say, less consequences; everything else must be empty. */
  readonly expected: Partial<Causes>;
}

interface Causes {
  readonly network: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly renamed: readonly string[];
  /** `id field` */
  readonly changed: readonly string[];
  /** Ids of parameters. */
  readonly weights: readonly string[];
}

function causesOf(diff: NetworkDiff): Causes {
  return {
    network: diff.network.map(({ field }) => field),
    added: diff.added.map(({ id }) => id),
    removed: diff.removed.map(({ id }) => id),
    renamed: diff.renamed.map(({ from, to }) => `${from} → ${to}`),
    changed: diff.changed.map(({ id, field }) => `${id} ${field}`),
    weights: diff.weights.filter(({ equal }) => !equal).map(({ id }) => id),
  };
}

const nothing: Causes = { network: [], added: [], removed: [], renamed: [], changed: [], weights: [] };

/** The network rebuilt with one op changed; types follow. */
function withOp(network: Network, id: string, change: (op: Op) => Partial<Op>): Network {
  const rewriter = new Rewriter(network);
  const result = rewriter.run((op, inputs, to) => to.copy(op, inputs, op.id === id ? change(op) : {}));
  return { ...result, notes: network.notes };
}

function ofKind(network: Network, ...kinds: readonly string[]): readonly Op[] {
  return network.ops.filter((op) => kinds.includes(op.kind));
}

const mutations: Readonly<Record<string, (network: Network, choice: Choice) => Mutation>> = {
  'an attribute': (network, choice) => {
    const { id } = choice.of(ofKind(network, 'batchnorm'));
    const epsilon = choice.of([1e-3, 1e-4, 0.5]);
    return {
      network: withOp(network, id, ({ attrs }) => ({ attrs: { ...attrs, epsilon } })),
      expected: { changed: [`${id} epsilon`] },
    };
  },
  'an attribute that types depend on': (network, choice) => {
    const { id, attrs } = choice.of(ofKind(network, 'neuron'));
    // LIF has no levels to choose: its amplitude is 1, so that its codes are what it fires
    if (!('integer' in attrs)) {
      const changed = withOp(network, id, () => ({ attrs: { ...attrs, integer_codes: true } }));
      return { network: changed, expected: { changed: [`${id} integer_codes`] } };
    }
    const levels = [0, 2 ** (3 + Number(attrs['fraction'])) - 1];
    return {
      network: withOp(network, id, () => ({ attrs: { ...attrs, integer: 3, levels } })),
      expected: { changed: [`${id} levels`, `${id} integer`, `${id} code`] },
    };
  },
  'a weight': (network, choice) => {
    const op = choice.of(ofKind(network, 'conv', 'linear'));
    const name = op.params['weight']!;
    const { shape, data } = network.params.get(name)!.tensor;
    const changed = tensor('f32', shape, data);
    changed.data[choice.of([...data.keys()])]! += 0.25;
    return {
      network: { ...network, params: new Map([...network.params, [name, { tensor: changed }]]) },
      expected: { weights: [name] },
    };
  },
  'a neuron parameter': (network, choice) => {
    const { id } = choice.of(ofKind(network, 'neuron'));
    const parameter = choice.of(['theta', 'tau']);
    return {
      network: withOp(network, id, ({ attrs }) => ({ attrs: { ...attrs, [parameter]: 1.5 } })),
      expected: { changed: [`${id} ${parameter}`] },
    };
  },
  'an equation': (network) => {
    const [name, def] = [...network.neurons][0]!;
    const value = {
      kind: 'binary',
      op: '/',
      left: { kind: 'name', name: 'u' },
      right: { kind: 'number', value: 2 },
    } as const;
    const phases = def.phases.map((phase) =>
      phase.name === 'reset' ? { ...phase, assignments: [{ target: 'u', value }] } : phase,
    );
    const neurons = new Map([[name, { ...def, phases }]]);
    const ids = ofKind(network, 'neuron').map(({ id }) => id);
    return { network: { ...network, neurons }, expected: { changed: ids.map((id) => `${id} reset`) } };
  },
  'a layer renamed': (network, choice) => {
    const { id } = choice.of(network.ops.filter((op) => op.kind !== 'input'));
    const to = choice.of(['renamed', `${id}_2`, 'stage1']);
    const rename = (name: string): string => (name === id ? to : name);
    return {
      network: {
        ...network,
        ops: network.ops.map((op) => ({ ...op, id: rename(op.id), inputs: op.inputs.map(rename) })),
        outputs: network.outputs.map(rename),
      },
      expected: { renamed: [`${id} → ${to}`] },
    };
  },
  'an op inserted': (network, choice) => {
    const readers = consumersOf(network);
    const behind = choice.of(network.ops.filter(({ id }) => readers.get(id)!.length > 0 && id !== 'image'));
    const like = choice.of(['same kind', 'relu', 'identity']);
    const rewriter = new Rewriter(network);
    const result = rewriter.run((op, inputs, to) => {
      to.copy(op, inputs);
      if (op.id !== behind.id) return op.id;
      if (like === 'same kind' && (op.kind === 'neuron' || op.kind === 'batchnorm')) {
        return to.copy(op, [op.id], { id: 'inserted' });
      }
      return to.builder.add({ id: 'inserted', kind: like === 'relu' ? 'relu' : 'identity', inputs: [op.id] });
    });
    return { network: result, expected: { added: ['inserted'] } };
  },
  'an op removed': (network, choice) => {
    const { id } = choice.of(ofKind(network, 'batchnorm', 'neuron', 'dropout'));
    const rewriter = new Rewriter(network);
    const result = rewriter.run((op, inputs, to) => (op.id === id ? inputs[0]! : to.copy(op, inputs)));
    return { network: result, expected: { removed: [id] } };
  },
  'an op removed from a block': (network, choice) => {
    const join = choice.of(ofKind(network, 'add'));
    const rewriter = new Rewriter(network);
    const result = rewriter.run((op, inputs, to) => (op.id === join.id ? inputs[0]! : to.copy(op, inputs)));
    const kept = new Set(result.ops.map(({ id }) => id));
    return { network: result, expected: { removed: network.ops.map(({ id }) => id).filter((id) => !kept.has(id)) } };
  },
  'the steps of the coding': (network, choice) => {
    const steps = choice.of([2, 3, 8]);
    const changed = withOp(network, 'encode', ({ attrs }) => ({ attrs: { ...attrs, steps } }));
    return {
      network: { ...changed, coding: { name: 'direct', args: { ...network.coding?.args, steps } } },
      expected: { network: ['coding.steps'], changed: ['encode steps', 'encode time'] },
    };
  },
};

const names = [
  'multibit/resnet20.spike#narrow',
  'multibit/resnet20.spike#narrow_mb21',
  'multibit/resnet20.spike#narrow_mb21_ic',
];
const bases = zoo().flatMap(({ name, network }) => (names.includes(name) ? [network()] : []));

it('all three networks are there, and differ', () => {
  expect(bases).toHaveLength(3);
  expect(diffNetworks(bases[0]!, bases[1]!).identical).toBe(false);
});

it.each(Object.entries(mutations))('names %s and nothing else, at any place', (_, mutate) => {
  for (let seed = 0; seed < 9; seed++) {
    const before = bases[seed % bases.length]!;
    const { network: after, expected } = mutate(before, new Choice(seed));
    expect(verifyNetwork(after)).toEqual([]);
    const diff = diffNetworks(before, after);
    expect({ seed, ...causesOf(diff) }).toEqual({ seed, ...nothing, ...expected });
    expect(diff.identical).toBe(false);
    // and back: what was added is removed
    const back = causesOf(diffNetworks(after, before));
    expect(back.added).toEqual(expected.removed ?? []);
    expect(back.removed).toEqual(expected.added ?? []);
    expect(back.changed.length).toBe((expected.changed ?? []).length);
  }
});

it('what an inserted op brings about is said apart: inputs and types of what reads it', () => {
  for (let seed = 0; seed < 6; seed++) {
    const { network } = mutations['an op inserted']!(bases[1]!, new Choice(seed));
    const fields = new Set(diffNetworks(bases[1]!, network).consequences.map(({ field }) => field));
    expect([...fields].filter((field) => !['inputs', 'code', 'time', 'shape'].includes(field))).toEqual([]);
    expect(fields).toContain('inputs');
  }
});
