/** How right predictions are, class by class. */
export interface ClassScore {
  readonly class: number;
  readonly samples: number;
  /** Share of them that is predicted as this class; missing where there are none. */
  readonly accuracy?: number;
}

export interface Confusion {
  readonly classes: readonly ClassScore[];
  /** Row: the class that a sample has; column: the one that is predicted. */
  readonly confusion: readonly (readonly number[])[];
}

/** Counts predictions by the class that samples have. */
export function confusionOf(labels: Int32Array, predicted: Int32Array, outputs: number): Confusion {
  // one output tells the classes 0 and 1 apart
  const count = Math.max(
    2,
    outputs,
    ...[labels, predicted].map((list) => list.reduce((a, b) => Math.max(a, b), 0) + 1),
  );
  const confusion = Array.from({ length: count }, () => new Array<number>(count).fill(0));
  labels.forEach((label, i) => confusion[label]![predicted[i]!]!++);
  const classes = confusion.map((row, label) => {
    const samples = row.reduce((a, b) => a + b, 0);
    return { class: label, samples, ...(samples === 0 ? {} : { accuracy: row[label]! / samples }) };
  });
  return { classes, confusion };
}
