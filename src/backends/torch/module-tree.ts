import type { Op } from '../../network/index.js';
import { quote } from './python.js';
import { Unsupported } from './unsupported.js';

type Node = Map<string, Node | string>;

/** Modules by their names: what stands before a dot holds what stands behind it. */
export class ModuleTree {
  readonly #root: Node = new Map();

  add(op: Op, path: readonly string[], code: string): void {
    let node = this.#root;
    for (const part of path.slice(0, -1)) {
      const known = node.get(part);
      if (typeof known === 'string') throw new Unsupported(op, 'a layer below a layer');
      const next: Node = known ?? new Map<string, Node | string>();
      node.set(part, next);
      node = next;
    }
    if (node.has(path.at(-1)!)) throw new Unsupported(op, 'a layer with the name of a block');
    node.set(path.at(-1)!, code);
  }

  /** `self.NAME = …`, in the order in which they were added. */
  lines(): readonly string[] {
    return [...this.#root].flatMap(([name, node]) => {
      const [first, ...rest] = constructed(node);
      return [`self.${name} = ${first}`, ...rest];
    });
  }
}

function constructed(node: Node | string): readonly string[] {
  if (typeof node === 'string') return [node];
  const entries = [...node].flatMap(([name, inner]) => {
    const [first, ...rest] = constructed(inner);
    const lines = [`${quote(name)}: ${first}`, ...rest].map((line) => `    ${line}`);
    return [...lines.slice(0, -1), `${lines.at(-1)!},`];
  });
  return ['Block({', ...entries, '})'];
}
