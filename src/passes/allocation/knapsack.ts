/** One way to have an item: what it costs and what error it brings; both from 0 on. */
export interface Choice {
  readonly cost: number;
  readonly error: number;
}

export interface Knapsack {
  /** Index of the choice of each item. */
  readonly picks: readonly number[];
  readonly cost: number;
  readonly error: number;
  /** Whether no other picks within the budget have less error. */
  readonly exact: boolean;
}

/** Partial sums kept at once; beyond, the greedy solution is given. */
const mostStates = 300_000;

/**
 * Multiple-choice knapsack: one choice of each item, the costs together within the budget, the errors together least
 * (of equal errors the cheapest). Exact by dynamic programming over the items, with the Pareto front of (cost, error)
 * as its states, cut by a Lagrangian bound; greedy along the convex hulls where the front grows too large. Undefined
 * where even the cheapest choices exceed the budget.
 */
export function solveKnapsack(
  items: readonly (readonly Choice[])[],
  budget: number,
  limit = mostStates,
): Knapsack | undefined {
  const { picks, slope } = greedy(items, budget);
  if (picks === undefined) return undefined;
  const start = outcome(items, picks, items.length === 0);
  if (start.exact) return start;
  const fronts = paretoFronts(items, budget, { slope, error: start.error }, limit);
  if (fronts === undefined) return start;
  const best = fronts.at(-1)!.at(-1)!;
  return outcome(items, tracedPicks(best), true);
}

/** The least that the items can cost. */
export function leastCost(items: readonly (readonly Choice[])[]): number {
  return items.reduce((sum, choices) => sum + Math.min(...choices.map(({ cost }) => cost)), 0);
}

function outcome(items: readonly (readonly Choice[])[], picks: readonly number[], exact: boolean): Knapsack {
  const sum = (of: (choice: Choice) => number): number => picks.reduce((all, n, i) => all + of(items[i]![n]!), 0);
  return { picks, cost: sum(({ cost }) => cost), error: sum(({ error }) => error), exact };
}

interface Step {
  readonly item: number;
  readonly to: number;
  readonly cost: number;
  readonly gain: number;
}

/**
 * From the cheapest choices, the steps along each item's lower convex hull, those with the most gain a cost first, as
 * far as they fit. `slope` is the gain a cost of the first that doesn't: the multiplier of the Lagrangian bound.
 */
function greedy(
  items: readonly (readonly Choice[])[],
  budget: number,
): { readonly picks: number[] | undefined; readonly slope: number } {
  const hulls = items.map(lowerHull);
  const picks = hulls.map((hull) => hull[0]!);
  let left = budget - picks.reduce((sum, n, i) => sum + items[i]![n]!.cost, 0);
  if (left < -slack(budget)) return { picks: undefined, slope: 0 };
  const steps = hulls
    .flatMap((hull, item) =>
      hull.slice(1).map((to, k): Step => {
        const [a, b] = [items[item]![hull[k]!]!, items[item]![to]!];
        return { item, to, cost: b.cost - a.cost, gain: a.error - b.error };
      }),
    )
    .sort((a, b) => b.gain / b.cost - a.gain / a.cost);
  let slope = 0;
  const ended = new Set<number>();
  for (const { item, to, cost, gain } of steps) {
    if (ended.has(item)) continue;
    if (cost > left + slack(budget)) {
      slope = Math.max(slope, gain / cost);
      ended.add(item);
      continue;
    }
    left -= cost;
    picks[item] = to;
  }
  return { picks, slope };
}

/** Indices of the choices on the lower convex hull of (cost, error), from the cheapest on. */
function lowerHull(choices: readonly Choice[]): number[] {
  const order = choices.map((_, n) => n).sort((a, b) => compare(choices[a]!, choices[b]!));
  const hull: number[] = [];
  for (const n of order) {
    const next = choices[n]!;
    const last = hull.at(-1);
    if (last !== undefined && choices[last]!.error <= next.error) continue;
    while (hull.length > 1 && isAbove(choices[hull.at(-2)!]!, choices[hull.at(-1)!]!, next)) hull.pop();
    hull.push(n);
  }
  return hull;
}

function compare(a: Choice, b: Choice): number {
  return a.cost - b.cost || a.error - b.error;
}

/** Whether b lies on or above the line from a to c. */
function isAbove(a: Choice, b: Choice, c: Choice): boolean {
  return (a.error - b.error) * (c.cost - a.cost) <= (a.error - c.error) * (b.cost - a.cost);
}

/** Sums of real costs differ in their last digits by the order of adding. */
function slack(budget: number): number {
  return Math.abs(budget) * 1e-12;
}

interface State extends Choice {
  readonly pick: number;
  readonly before: State | undefined;
}

/** For each item the front of sums up to it that can still lead to something better; undefined where it grows too large. */
function paretoFronts(
  items: readonly (readonly Choice[])[],
  budget: number,
  bound: { readonly slope: number; readonly error: number },
  limit: number,
): (readonly State[])[] | undefined {
  // of the items that follow: the least cost, and the least error + slope·cost
  const rest = items.map(() => ({ cost: 0, priced: 0 }));
  for (let i = items.length - 2; i >= 0; i--) {
    const next = items[i + 1]!;
    const after = rest[i + 1]!;
    rest[i] = {
      cost: after.cost + Math.min(...next.map(({ cost }) => cost)),
      priced: after.priced + Math.min(...next.map(({ cost, error }) => error + bound.slope * cost)),
    };
  }
  // equal sums differ in their last digits
  const allowed = bound.error + 1e-9 * (bound.error + bound.slope * budget);
  const fronts: (readonly State[])[] = [];
  let front: readonly State[] = [{ cost: 0, error: 0, pick: -1, before: undefined }];
  for (const [i, choices] of items.entries()) {
    const { cost: leastRest, priced } = rest[i]!;
    const sums: State[] = [];
    for (const before of front) {
      for (const [pick, choice] of choices.entries()) {
        const cost = before.cost + choice.cost;
        const error = before.error + choice.error;
        if (cost + leastRest > budget + slack(budget)) continue;
        if (error + priced - bound.slope * (budget - cost) > allowed) continue;
        sums.push({ cost, error, pick, before });
      }
      if (sums.length > 8 * limit) return undefined;
    }
    front = undominated(sums);
    if (front.length > limit) return undefined;
    fronts.push(front);
  }
  return fronts;
}

/** By rising cost and falling error. */
function undominated(states: State[]): readonly State[] {
  states.sort(compare);
  const front: State[] = [];
  for (const state of states) {
    if (front.length === 0 || state.error < front.at(-1)!.error) front.push(state);
  }
  return front;
}

function tracedPicks(last: State): number[] {
  const picks: number[] = [];
  for (let state: State | undefined = last; state?.before !== undefined; state = state.before) picks.push(state.pick);
  return picks.reverse();
}
