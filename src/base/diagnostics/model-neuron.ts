import { define } from './define.js';

export const modelNeuronDiagnostics = {
  'model/unconditional-reset': define<{ state: string }>(
    'warning',
    ({ state }) => `\`reset ${state} = …\` sets \`${state}\` at every step, whether the neuron fired or not`,
    `A reset is carried out at every time step. To reset only where the neuron fired, the new value has to depend on the
output: \`reset u = where(s, 0, u)\`, or \`reset u = u - s * theta\`. A state that is set to the same value at every step
carries nothing from one step to the next.`,
  ),
  'model/phase-order': define<{ phase: string; before: string }>(
    'error',
    ({ phase, before }) => `\`${phase}\` stands after \`${before}\``,
    `A time step has three phases in this order: \`charge\` (membrane from the input current \`x\`), \`fire\` (output \`s\`
from the membrane), \`reset\` (membrane from the output). They are written in the order in which they happen.`,
  ),
  'model/missing-phase': define<{ neuron: string; phase: string }>(
    'error',
    ({ neuron, phase }) => `the neuron \`${neuron}\` has no \`${phase}\``,
    `Every neuron says how its membrane is charged and how it fires; \`reset\` may be left out where there is none.`,
  ),
  'model/no-spike': define<{ neuron: string }>(
    'error',
    ({ neuron }) => `the neuron \`${neuron}\` never assigns its output \`s\``,
    `The \`fire\` phase must assign \`s\`, the neuron's output at this time step: \`fire s = u >= theta\`.`,
  ),
  'model/assignment': define<{ name: string; why: string }>(
    'error',
    ({ name, why }) => `\`${name}\` can't be assigned here: ${why}`,
    `Equations assign the neuron's states, its output \`s\` (in \`fire\`), and names of your own, which hold a value for the
rest of the time step. Parameters, the input \`x\` and the time \`t\`, \`T\` are given.`,
  ),
  'model/unused-state': define<{ name: string }>(
    'warning',
    ({ name }) => `the state \`${name}\` never changes`,
    `A state carries a value from one time step to the next. One that no phase assigns is a constant: make it a parameter.`,
  ),
  'model/equation': define<{ what: string }>(
    'error',
    ({ what }) => `${what} can't stand in a neuron's equation`,
    `Equations are made of numbers, names, arithmetic, comparisons, \`and or not\` and the functions
\`where floor round clip sign abs min max exp log log2 sqrt sigmoid tanh levels\` (and \`sum\` over a state's units).
Random numbers (\`uniform\`, \`normal\`) are drawn at each step, in \`charge\`, \`fire\` and \`reset\` alone.`,
  ),
  'model/surrogate-unreached': define<{
    layer: string;
    neuron: string;
    surrogate: string;
    distance: string;
    lo: number;
    hi: number;
    support: readonly [number, number];
  }>(
    'warning',
    ({ layer, neuron, surrogate, distance, lo, hi, support }) => {
      const shown = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(4))) : x > 0 ? '∞' : '−∞');
      return `no membrane of ${layer} comes near to the surrogate of \`${neuron}\`: \`${distance}\` stays between ${shown(lo)} and ${shown(hi)}, and \`${surrogate}\` is 0 outside of ${shown(support[0])} … ${shown(support[1])}`;
    },
    `Where a surrogate is 0 at every step, neither these neurons nor anything in front of them learns. The bounds follow from the levels of
the spikes that the layer reads and from its equations, over all time steps; weights have none. A wider surrogate, a lower threshold or a
factor in front of the neurons brings the membrane near to its jump.`,
  ),
  'model/surrogate-twice': define(
    'error',
    () => 'a neuron has one surrogate',
    `The surrogate gradient stands in for the derivative of every discontinuous step in \`fire\`; declare it once.`,
  ),
  'model/planes-twice': define(
    'error',
    () => 'a neuron has one form of planes',
    `\`planes unary\` or \`planes binary\` says how inference sends spikes of several levels; say it once.`,
  ),
  'model/many-unary-planes': define<{ neuron: string; planes: number; bits: number }>(
    'warning',
    ({ neuron, planes, bits }) =>
      `a spike of \`${neuron}\` is sent in ${planes} unary planes; ${bits} binary ones would carry it`,
    `With \`planes unary\` a spike of the value d is d spikes that count alike, in as many virtual time steps as the
greatest of them (IBRA eq. 5). With \`planes binary\` it is the ones among its bits, in one virtual time step a bit.`,
  ),
  'model/learn': define<{ problem: string }>(
    'error',
    ({ problem }) => problem,
    `A learnable parameter is written \`learn(START)\` or \`learn(START, constraint: positive)\` (or \`unit\`, between 0 and
1, or \`step\`, a step size). Its start must lie in the constraint's range, and so must the number of \`fixed(NUMBER)\`, by
which a neuron's use keeps training off a parameter. \`to\` gives a last value to start from where there are many
(\`learn(0.1, to: 0.9, per: neuron)\`). Integers and truth values can't be learned; the bits of
spikes are learned by a config's \`bits { spikes learn(init, max, target) }\`.`,
  ),
  'model/uneven-levels': define<{ neuron: string; bound: number }>(
    'error',
    ({ neuron, bound }) => `the outputs of \`${neuron}\` are cut off at ${bound} steps, between two levels`,
    `A spike's levels are multiples of one step, and the greatest of them has to be a level. In IBRA-LIF the outputs are
0, 1/N … D, so D · N must be an integer; 2^B − 1 uses B bits fully: D = 1.5 with N = 10 (4 bits), D = 5.11 with N = 100
(9 bits).`,
  ),
  'model/empty-levels': define<{ neuron: string; low: number; high: number }>(
    'error',
    ({ neuron, low, high }) => `the outputs of \`${neuron}\` are held between ${low} and ${high}: nothing lies between`,
    `The lower bound of a \`clip\`, or the least of some \`levels\`, is above the upper one. The largest output (D of
IBRA-LIF and I-LIF) is positive, and a spike of m integer and n fraction bits has m + n of at least 1.`,
  ),
  'model/levels-not-full': define<{ neuron: string; levels: number; bits: number }>(
    'warning',
    ({ neuron, levels, bits }) =>
      `the spikes of \`${neuron}\` have ${levels} levels; ${bits} bits could carry ${2 ** bits}`,
    `Range alignment (IBRA-LIF) chooses D and N so that D · N = 2^B − 1: every code of B bits is an output. Other products
leave codes unused, at the same time and energy: at inference a spike of B bits is sent as B binary planes. D = 1.5 with
N = 10 uses 4 bits fully, D = 5.11 with N = 100 uses 9. Neurons with whole levels (I-LIF's 0 … D) are told so when planes
are made of them (\`convert/planes-not-full\`).`,
  ),
  'model/no-levels': define<{ neuron: string }>(
    'error',
    ({ neuron }) => `\`${neuron}\` can only give one output, so it never spikes`,
    `A spike needs at least two levels. With m integer and n fraction bits there are 2^(m+n) of them: m + n must be at
least 1.`,
  ),
  'model/too-many-levels': define<{ neuron: string; bits: number; most: number }>(
    'error',
    ({ neuron, bits, most }) => `the spikes of \`${neuron}\` need ${bits} bits; at most ${most} are possible`,
    `Each bit of a spike is a plane of its own at inference, and sums over planes have to stay exact in float32. Use fewer
integer and fraction bits, or a smaller D · N.`,
  ),
} as const;
