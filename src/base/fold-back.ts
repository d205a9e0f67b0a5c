/**
 * What `fold` makes of a node of an acyclic graph and of the results for all that it reads, in their order. Each node is
 * visited once however many ways lead to it, and without recursion: graphs from files may be deep. `known` has what was
 * found before, and keeps what is found.
 */
export function foldBack<V>(
  node: string,
  readBy: (node: string) => readonly string[],
  fold: (node: string, inputs: readonly V[]) => V,
  known: Map<string, V>,
): V {
  const waiting: { readonly node: string; readonly inputs: readonly string[]; next: number }[] = [];
  const open = (one: string): void => {
    if (!known.has(one)) waiting.push({ node: one, inputs: readBy(one), next: 0 });
  };
  open(node);
  for (let top = waiting.at(-1); top !== undefined; top = waiting.at(-1)) {
    if (top.next < top.inputs.length) open(top.inputs[top.next++]!);
    else {
      waiting.pop();
      const inputs = top.inputs.map((input) => known.get(input) as V);
      known.set(top.node, fold(top.node, inputs));
    }
  }
  return known.get(node) as V;
}
