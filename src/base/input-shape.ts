/** The sizes of an input as they are said: one for each axis, the first being the batch. */
export interface InputShape {
  /** Missing of the only input. */
  readonly name?: string;
  readonly sizes: readonly number[];
}

const form = /^(?:(.+)=)?\s*((?:\d{1,9}|N)(?:\s*,\s*\d{1,9})*)\s*$/;

/** `x=1,3,224,224`, `N,3,224,224`, or several behind semicolons; undefined where a text says no shapes. */
export function inputShapesOf(text: string): readonly InputShape[] | undefined {
  const shapes = text.split(';').map((part): InputShape | undefined => {
    const [, name, list] = form.exec(part.trim()) ?? [];
    if (list === undefined) return undefined;
    const sizes = list.split(',').map((size) => (size.trim() === 'N' ? 1 : Number(size)));
    if (sizes.some((size) => size < 1)) return undefined;
    return name === undefined ? { sizes } : { name: name.trim(), sizes };
  });
  return shapes.includes(undefined) ? undefined : (shapes as readonly InputShape[]);
}

/** As {@link inputShapesOf} reads it. */
export function inputShapesText(shapes: readonly InputShape[]): string {
  return shapes.map(({ name, sizes }) => `${name === undefined ? '' : `${name}=`}${sizes.join(',')}`).join('; ');
}

/** The argument of `onnx("…")` in a model file that says them, with the comma before it; nothing of none. */
export function inputShapeArgument(shapes: readonly InputShape[] | undefined): string {
  return shapes === undefined ? '' : `, input_shape: ${JSON.stringify(inputShapesText(shapes))}`;
}
