import { type Program, type TensorOp, type ValueInfo, isBatch } from '../../tensor/index.js';
import type { Item } from './items.js';
import { canonical, operandLayouts, preferredLayout } from './layouts.js';
import type { Demand, Layout } from './shapes.js';

/** What a run does one after another; steps of a level don't need each other. */
export type Step =
  | { readonly kind: 'loops'; readonly items: readonly Item[]; readonly level: number }
  | { readonly kind: 'call'; readonly op: TensorOp; readonly level: number };

/** What a schedule has to know of the values that lie in memory and of those that don't. */
export interface Plan {
  readonly program: Program;
  readonly ops: ReadonlyMap<string, TensorOp>;
  type(id: string): ValueInfo;
  key(demand: Demand): string;
  readLayout(id: string): Layout;
  isSoft(op: TensorOp): boolean;
  isReduction(op: TensorOp): boolean;
  owns(item: Item): boolean;
  cone(id: string, visit: (op: TensorOp) => void, leaf: (id: string) => void, own?: boolean): void;
}

/** Items and calls in an order of evaluation: items of a level with the same loops are one kernel. */
export function scheduled(items: ReadonlyMap<string, Item>, plan: Plan): readonly Step[] {
  const byValue = new Map<string, Item[]>();
  for (const item of items.values()) {
    const key = item.key.replace(/#\d+$/, '');
    const name = plan.ops.get(item.value)?.kind === 'scan_output' ? item.key : key;
    byValue.set(name, [...(byValue.get(name) ?? []), item]);
  }
  const levels = new Map<string, number>();
  const callLevels = new Map<string, number>();
  const levelOfValue = (id: string, from?: Item): number => {
    const op = plan.ops.get(id);
    if (op === undefined) return 0;
    if (op.kind === 'scan_output') return levelOfCall(plan.ops.get(op.inputs[0]!)!) + 1;
    if (!plan.isSoft(op) && !plan.isReduction(op)) return levelOfCall(op) + 1;
    const makers = byValue.get(plan.key({ id, layout: plan.readLayout(id) })) ?? [];
    const together = (maker: Item): boolean =>
      from !== undefined && plan.owns(maker) && makers.length === 1 && maker.domain === from.domain;
    return Math.max(0, ...makers.map((maker) => levelOf(maker) + (together(maker) ? 0 : 1)));
  };
  const levelOf = (item: Item): number => {
    const known = levels.get(item.key);
    if (known !== undefined) return known;
    let level = 0;
    const visit = (id: string): void => {
      level = Math.max(level, levelOfValue(id, item));
    };
    const wait = (op: TensorOp): void => {
      if (op.after !== undefined) level = Math.max(level, levelAfter(op.after));
    };
    plan.cone(item.value, wait, visit, plan.owns(item));
    levels.set(item.key, level);
    return level;
  };
  const afterLevels = new Map<string, number>();
  /** The level from which on all is there that a value is computed from. */
  const levelAfter = (id: string): number => {
    const known = afterLevels.get(id);
    if (known !== undefined) return known;
    let level = 0;
    plan.cone(
      id,
      () => undefined,
      (leaf) => (level = Math.max(level, levelOfValue(leaf))),
    );
    afterLevels.set(id, level);
    return level;
  };
  const levelOfCall = (op: TensorOp): number => {
    const known = callLevels.get(op.id);
    if (known !== undefined) return known;
    const layouts = operandLayouts(op);
    const level = Math.max(
      op.after === undefined ? 0 : levelAfter(op.after),
      ...op.inputs.map((id, i) => {
        const { shape } = plan.type(id);
        const layout = canonical(shape, op.kind === 'scan' ? preferredLayout(shape) : layouts[i]!);
        const made = byValue.get(plan.key({ id, layout }));
        const source = plan.ops.get(id);
        const direct = source === undefined || !plan.isSoft(source);
        if (direct && layout === plan.readLayout(id)) return levelOfValue(id);
        return Math.max(0, ...(made ?? []).map((item) => levelOf(item) + 1));
      }),
    );
    callLevels.set(op.id, level);
    return level;
  };
  const kernels = new Map<string, Item[]>();
  for (const item of items.values()) {
    const name = `${levelOf(item)}: ${item.domain}`;
    kernels.set(name, [...(kernels.get(name) ?? []), item]);
  }
  const steps: Step[] = [...kernels.values()].map((group) => ({
    kind: 'loops',
    items: group,
    level: levels.get(group[0]!.key)!,
  }));
  for (const op of plan.program.ops) {
    if (plan.isSoft(op) || plan.isReduction(op) || op.kind === 'scan_output' || op.kind === 'const') continue;
    steps.push({ kind: 'call', op, level: levelOfCall(op) });
  }
  // gradients of weights before those of images: what images they read may go then
  return steps.sort((a, b) => a.level - b.level || growth(a) - growth(b));
}

/** Whether a call makes something as large as a batch: 1, or 0; loops keep their place in between. */
function growth(step: Step): number {
  if (step.kind === 'loops') return 0.5;
  return step.op.shape.some(isBatch) ? 1 : 0;
}
