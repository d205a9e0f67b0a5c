import { present } from '../../base/invariant.js';
import { drawsOf } from '../../equations/index.js';
import { loweringOrder, stepsOfNetwork } from '../../lower/program/index.js';
import { type Network, type Op, consumersOf, opsById } from '../../network/index.js';
import { type LayerCode, type LayerContext, type Variable, torchLayers, torchReadOut } from './layers.js';
import { ModuleTree } from './module-tree.js';
import { type NeuronCode, inputsOfSteps, neuronCode } from './neurons.js';
import { Names, className, comment, indented, quote, tuple } from './python.js';
import { stateKey, stateName } from './state-names.js';
import { Unsupported } from './unsupported.js';

/** A network as `model.py`. */
export interface TorchModel {
  readonly text: string;
  /** What `state_dict` calls a parameter, where it isn't the parameter's name: key → name. */
  readonly renamed: ReadonlyMap<string, string>;
}

type AnyEmit = (context: LayerContext, op: Op, inputs: readonly Variable[]) => LayerCode;

/** A network layer by layer, each a module under its name; throws {@link Unsupported} where one has no such form. */
export function layeredModel(network: Network): TorchModel {
  return new ModelWriter(network).write();
}

/** Classes of `layers.py`: no neuron is called so. */
const moduleClasses = [
  ...['Affine', 'BatchNorm', 'Block', 'ChannelConvolution', 'Convolution', 'Dropout', 'FedNeurons', 'Jump', 'Neurons'],
  ...['QuantisedLinear', 'StepMixing', 'TransposedConvolution'],
];

class ModelWriter {
  readonly #helpers = new Set<string>();
  readonly #tree = new ModuleTree();
  readonly #classes = new Map<string, string>();
  readonly #classNames = new Names([...moduleClasses, 'Any', 'Network', 'NAMES']);
  readonly #classLines: string[] = [];
  readonly #names = new Names();
  readonly #variables = new Map<string, Variable>();
  readonly #lines: string[] = [];
  readonly #registered: string[] = [];
  readonly #remaining = new Map<string, number>();
  readonly #sources = new Map<string, string>();
  readonly #steps: number;
  #noisy = false;

  constructor(readonly network: Network) {
    this.#steps = stepsOfNetwork(network);
    for (const [id, consumers] of consumersOf(network)) {
      this.#remaining.set(id, consumers.length + (network.outputs.includes(id) ? 1 : 0));
    }
  }

  write(): TorchModel {
    this.#helpers.add('Block');
    const { network } = this;
    const [output, ...more] = network.outputs;
    const byId = opsById(network);
    if (more.length > 0) throw new Unsupported(byId.get(more[0]!)!, 'a second output');
    this.#checkParams();
    const inputs = network.ops.filter(({ kind }) => kind === 'input');
    if (inputs.length > 1) throw new Unsupported(inputs[1]!, 'a second input');
    const first = present(inputs[0], `torch: ${network.name} has no input`);
    const image = this.#names.fresh(first.id);
    this.#variables.set(first.id, { code: image, steps: 1 });
    const last = byId.get(output!)!;
    for (const item of loweringOrder(network)) {
      if ('id' in item) {
        if (item.kind !== 'input' && !(item.kind === 'decode' && item.id === output))
          this.#layer(item, this.#lines, false);
      } else this.#cycle(item);
    }
    const logits = last.kind === 'decode' ? last.inputs[0]! : last.id;
    const value = this.#variables.get(logits)!;
    const text = this.#text(image, first, value, last);
    return { text, renamed: this.#renamed() };
  }

  /** Parameters are those of their layers, by name: a state dict has the network's names. */
  #checkParams(): void {
    for (const op of this.network.ops) {
      for (const [role, name] of Object.entries(op.params)) {
        const param = this.network.params.get(name)!;
        if (param.quant !== undefined) throw new Unsupported(op, 'a quantised parameter');
        if (name === `${op.id}.${role}`) continue;
        if (op.kind === 'squeeze' && name === `${op.inputs[0]!}.${role}`) {
          this.#registered.push(
            `${this.#access(op.inputs[0]!)}.register_parameter(${quote(stateName(role))}, nn.Parameter(torch.zeros(${param.tensor.shape.join(', ')})))`,
          );
        } else if (!this.#isShared(op, name)) throw new Unsupported(op, 'a parameter with a name of its own');
      }
    }
  }

  /** Steps that another layer of neurons has, too, and whose module holds them. */
  #isShared(op: Op, name: string): boolean {
    if (op.kind !== 'squeeze') return false;
    return this.network.ops.some(
      (other) => other.kind === 'squeeze' && other.params['steps'] === name && name === `${other.inputs[0]!}.steps`,
    );
  }

  #renamed(): ReadonlyMap<string, string> {
    return new Map(
      [...this.network.params.keys()].flatMap((name) => (stateKey(name) === name ? [] : [[stateKey(name), name]])),
    );
  }

  /** `self.first["conv"]` */
  #access(id: string): string {
    const [top, ...rest] = id.split('.').map(stateName);
    return `self.${top}${rest.map((part) => `[${quote(part)}]`).join('')}`;
  }

  #context(looped: boolean): LayerContext {
    return {
      network: this.network,
      steps: this.#steps,
      helpers: this.#helpers,
      names: this.#names,
      looped,
      module: (op) => this.#access(op.id),
      parameter: (name) => {
        const at = name.lastIndexOf('.');
        return `${this.#access(name.slice(0, at))}.get_parameter(${quote(stateName(name.slice(at + 1)))})`;
      },
      neurons: (op, constant) => this.#neurons(op, constant),
    };
  }

  #neurons(op: Op<'neuron'>, constant: readonly boolean[]): string {
    const base = this.#baseOf(op);
    this.#helpers.add(base);
    const code = neuronCode(this.network, op, this.#steps, constant, this.#helpers);
    return `${this.#class(op.attrs.neuron, code, base)}(${code.args.join(', ')})`;
  }

  /** What neurons like these are a class of. */
  #baseOf({ attrs }: Op<'neuron'>): string {
    return inputsOfSteps(this.network.neurons.get(attrs.neuron)!).length > 0 ? 'FedNeurons' : 'Neurons';
  }

  /** The class of neurons like these, which may be there already. */
  #class(neuron: string, { body }: NeuronCode, base: string): string {
    const key = body.join('\n');
    const known = this.#classes.get(key);
    if (known !== undefined) return known;
    const name = this.#classNames.fresh(className(neuron));
    this.#classes.set(key, name);
    this.#classLines.push('', '', `class ${name}(${base}):`, ...indented(body));
    return name;
  }

  #layer(op: Op, lines: string[], looped: boolean): void {
    const inputs = op.inputs.map((id) => present(this.#variables.get(id), `torch: ${id} has no value yet`));
    const emit = torchLayers[op.kind] as AnyEmit;
    const { module, before = [], code, steps } = emit(this.#context(looped), op, inputs);
    if (module !== undefined) this.#tree.add(op, op.id.split('.').map(stateName), module);
    if (code.includes('noise.get(')) this.#noisy = true;
    lines.push(...before);
    if (/^\w+$/.test(code)) {
      // the same value under another name
      this.#variables.set(op.id, { code, steps });
      const source = this.#sourceOf(op.inputs[0]!);
      this.#sources.set(op.id, source);
      this.#remaining.set(source, this.#remaining.get(source)! + this.#remaining.get(op.id)! - 1);
      return;
    }
    // in a loop a name that is read at each step must stay
    if (!looped) this.#release(op);
    const name = this.#names.fresh(variableOf(op.id));
    lines.push(`${name} = ${code}`);
    this.#variables.set(op.id, { code: name, steps });
  }

  /** The layer whose variable a value is. */
  #sourceOf(id: string): string {
    return this.#sources.get(id) ?? id;
  }

  /** Variables whose last reader this is give their names back. */
  #release(op: Op): void {
    for (const input of op.inputs) {
      const id = this.#sourceOf(input);
      const left = this.#remaining.get(id)! - 1;
      this.#remaining.set(id, left);
      if (left === 0) this.#names.release(this.#variables.get(id)!.code);
    }
  }

  /** The ops of a cycle, one time step after another. */
  #cycle(ops: readonly Op[]): void {
    const { network } = this;
    const lines = this.#lines;
    const T = this.#steps;
    const inside = new Set(ops.map(({ id }) => id));
    this.#helpers.add('time_step');
    const body: string[] = [];
    const after: string[] = [];
    const outer = new Map<string, Variable>();
    const zeros = (op: Op): string => `${this.#image()}.new_zeros((n, ${op.type.shape.join(', ')}))`;
    // what comes from outside, at this step
    for (const op of ops) {
      for (const id of op.inputs) {
        if (inside.has(id) || outer.has(id)) continue;
        const value = present(this.#variables.get(id), `torch: ${id} has no value yet`);
        outer.set(id, value);
        if (value.steps === 1) continue;
        const now = this.#names.fresh(`${variableOf(id)}_now`);
        body.push(`${now} = time_step(${value.code}, ${T}, t)`);
        this.#variables.set(id, { code: now, steps: 1 });
      }
    }
    const lists = new Map<string, string>();
    for (const op of ops) {
      if (op.kind !== 'lag') continue;
      const held = this.#names.fresh(`${variableOf(op.id)}_before`);
      lists.set(op.id, held);
      lines.push(`${held} = [${zeros(op)}] * ${op.attrs.steps}`);
      const now = this.#names.fresh(variableOf(op.id));
      body.push(`${now} = ${held}[0]`);
      this.#variables.set(op.id, { code: now, steps: 1 });
    }
    for (const op of ops) {
      if (op.kind === 'lag') continue;
      if (op.kind === 'neuron') this.#step(op, lines, body, zeros(op));
      else this.#layer(op, body, true);
    }
    for (const op of ops) {
      if (op.kind !== 'lag') continue;
      body.push(`${lists.get(op.id)!} = [*${lists.get(op.id)!}[1:], ${this.#variables.get(op.inputs[0]!)!.code}]`);
    }
    const consumers = consumersOf(network);
    const read = ops.filter(
      ({ id }) => network.outputs.includes(id) || consumers.get(id)!.some((one) => !inside.has(one.id)),
    );
    for (const op of read) {
      const all = this.#names.fresh(`${variableOf(op.id)}_steps`);
      lines.push(`${all}: list[Tensor] = []`);
      body.push(`${all}.append(${this.#variables.get(op.id)!.code})`);
      const whole = this.#names.fresh(`${variableOf(op.id)}_train`);
      after.push(`${whole} = torch.cat(${all})`);
      this.#variables.set(op.id, { code: whole, steps: T });
    }
    for (const [id, value] of outer) this.#variables.set(id, value);
    lines.push(`for t in range(${T}):`, ...indented(body), ...after);
  }

  /** A layer of neurons in a cycle: one of its steps. */
  #step(op: Op<'neuron'>, lines: string[], body: string[], zeros: string): void {
    const type = this.#baseOf(op);
    const def = this.network.neurons.get(op.attrs.neuron)!;
    this.#tree.add(
      op,
      op.id.split('.').map(stateName),
      this.#neurons(
        op,
        op.inputs.map(() => false),
      ),
    );
    this.#helpers.add(type).add('cast');
    const base = variableOf(op.id);
    const [layer, learned, states, fired] = ['layer', 'learned', 'states', 'fired'].map((what) =>
      this.#names.fresh(`${base}_${what}`),
    ) as [string, string, string, string];
    lines.push(
      `${layer} = cast(${type}, ${this.#access(op.id)})`,
      `${learned} = ${layer}.learned()`,
      `${states} = ${layer}.start(${zeros}, ${learned})`,
    );
    const [current, ...more] = op.inputs.map((id) => `${this.#variables.get(id)!.code}.float()`);
    const draws = drawsOf(def).map(({ name }) => `noise.get(${quote(`${op.id}.${name}`)})`);
    let given = '';
    if (type === 'FedNeurons') {
      const drawn = this.#names.fresh(`${base}_drawn`);
      lines.push(`${drawn} = ${layer}.drawn(${zeros}, ${tuple(draws)})`);
      if (draws.length > 0) this.#noisy = true;
      given = `, (${[...more, `*${drawn}[t]`].join(', ')},)`;
    }
    body.push(`${fired}, ${states} = ${layer}.step(${current!}, ${states}, ${learned}, t + 1${given})`);
    this.#variables.set(op.id, { code: fired, steps: 1 });
  }

  #image(): string {
    return this.#variables.get(this.network.ops.find(({ kind }) => kind === 'input')!.id)!.code;
  }

  /** `load_state_dict` takes renamed parameters by their names, too, also where the network is a part of another module. */
  #loading(): readonly string[] {
    if (this.#renamed().size === 0) return [];
    return [
      'def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *rest: Any) -> None:',
      ...indented([
        '"""`load_state_dict` takes parameters by their names, as in `weights.safetensors`, and by those of `NAMES`."""',
        'for key, name in NAMES.items():',
        '    if prefix + name in state_dict:',
        '        state_dict[prefix + key] = state_dict.pop(prefix + name)',
        'super()._load_from_state_dict(state_dict, prefix, *rest)',
      ]),
      '',
    ];
  }

  #text(image: string, input: Op, logits: Variable, last: Op): string {
    const { network } = this;
    const readOut = last.kind === 'decode' ? torchReadOut(last) : 'mean';
    const frames = network.ops.some((op) => op.kind === 'encode' && op.attrs.coding === 'events');
    const shape = input.type.shape;
    const batch = this.#lines.some((line) => /\bn\b/.test(line)) ? [`n = ${image}.shape[0]`] : [];
    const output = last.kind === 'decode' ? 'logits' : 'output';
    this.#helpers.add('read_out');
    const noise = this.#noisy ? ', noise: Mapping[str, Tensor] | None = None' : '';
    const forward = [
      `def forward(self, ${image}: Tensor${noise}, per_step: bool = False) -> Tensor:`,
      ...indented([
        `"""Logits [N, ${last.type.shape.join(', ')}] of ${image} [N, ${frames ? `${this.#steps}, ` : ''}${shape.join(', ')}]; \`per_step\`: [steps, N, ...], before they are read out."""`,
        ...(this.#noisy ? ['noise = {} if noise is None else noise'] : []),
        ...batch,
        ...this.#lines,
        `${output} = ${logits.code}.flatten(1)`,
        `if per_step:`,
        `    return steps_apart(${output}, ${logits.steps})`,
        `return read_out(${output}, ${logits.steps}, "${readOut}")`,
      ]),
    ];
    this.#helpers.add('steps_apart');
    const imports = [...this.#helpers].filter((name) => name !== 'cast').sort(asImported);
    const typed = [...(this.#renamed().size > 0 ? ['Any'] : []), ...(this.#helpers.has('cast') ? ['cast'] : [])];
    const typing = typed.length > 0 ? [`from typing import ${typed.join(', ')}`] : [];
    const uses = (module: RegExp): boolean => [...this.#classLines, ...forward].some((line) => module.test(line));
    const mathUsed = uses(/\bmath\./);
    return `${[
      `"""${comment(network.name)}: a spiking network in PyTorch, written by spikec."""`,
      '',
      'from __future__ import annotations',
      '',
      ...(mathUsed ? ['import math'] : []),
      ...(this.#noisy ? ['from collections.abc import Mapping'] : []),
      ...typing,
      ...(mathUsed || this.#noisy || typing.length > 0 ? [''] : []),
      'import torch',
      'from torch import Tensor, nn',
      ...(uses(/\bfunctional\./) ? ['from torch.nn import functional'] : []),
      '',
      `from layers import ${imports.length > 6 ? `(\n${indented(imports).join(',\n')},\n)` : imports.join(', ')}`,
      '',
      `# What a parameter is called in the state dict, where that isn't its name.`,
      `NAMES: dict[str, str] = {${[...this.#renamed()].map(([key, name]) => `${quote(key)}: ${quote(name)}`).join(', ')}}`,
      '',
      `# Time steps, and the shape of an input without its batch axis.`,
      `STEPS = ${this.#steps}`,
      `INPUT_SHAPE = ${tuple(frames ? [this.#steps, ...shape] : shape)}`,
      ...this.#classLines,
      '',
      '',
      'class Network(nn.Module):',
      ...indented([
        `"""${comment(network.name)}${network.coding === undefined ? '' : `, coding ${comment(network.coding.name)}`}: ${this.#steps} time step${this.#steps === 1 ? '' : 's'}, folded into the batch axis, time slowest."""`,
        '',
        'def __init__(self) -> None:',
        '    super().__init__()',
        ...indented([...this.#tree.lines(), ...this.#registered]),
        '',
        ...this.#loading(),
        ...forward,
      ]),
    ].join('\n')}\n`;
  }
}

/** Classes first, as sorters of imports have it. */
function asImported(a: string, b: string): number {
  const rank = (name: string): number => (/^[A-Z]/.test(name) ? 0 : 1);
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}

/** `stage1.0.pre.conv` is a value of `stage1_0_pre`. */
function variableOf(id: string): string {
  const at = id.lastIndexOf('.');
  return at < 0 ? id : id.slice(0, at);
}
