import { type Diagnostic, diagnostic } from '../base/diagnostics/index.js';
import { type OnnxSource, openOnnxSource } from '../engines/onnx-source.js';
import { productsSaturate } from '../engines/saturation.js';
import { exposeTensors, partFor, standardForm } from '../frontends/onnx/index.js';
import type { Source } from '../workspace/target.js';

/** What an import and an SNN are compared with: the file, in onnxruntime. */
export interface Reference {
  readonly source: OnnxSource;
  /** The output under which each tensor asked for comes. */
  readonly outputs: ReadonlyMap<string, string>;
}

/**
 * Opens a file with more of its tensors as outputs. Operators that onnxruntime doesn't have are written out in ONNX's own;
 * dynamic quantisers, which no import has, can be left out. Where onnxruntime's products of bytes saturate, they are of unsigned bytes.
 * onnxruntime finds external data by the file's place only: of such a file only its own outputs can be seen.
 */
export async function openReference(
  { path, bytes, imported, external }: Source,
  tensors: Iterable<string>,
  options: {
    readonly threads?: number;
    readonly brief?: boolean;
    readonly withoutDynamic?: boolean;
    /** False for long files: of the graph only what these tensors need. */
    readonly whole?: boolean;
  } = {},
): Promise<Reference> {
  const { withoutDynamic = false, whole = true, ...running } = options;
  const names = [...tensors];
  const runnable = (await runnableForm(bytes, withoutDynamic)) ?? bytes;
  const part = whole || external.size > 0 ? runnable : partFor(runnable, names);
  const exposed = external.size > 0 ? undefined : exposeTensors(part, names);
  const batch = imported.row.batch;
  const source = await openOnnxSource(exposed?.bytes ?? path, { ...running, name: path, batch });
  return { source, outputs: exposed?.outputs ?? new Map(names.map((name) => [name, name])) };
}

/** A file as onnxruntime computes it exactly, where that isn't the file as it stands: in ONNX's own operators and exact products of bytes. */
export async function runnableForm(
  bytes: Uint8Array,
  withoutDynamic = false,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return standardForm(bytes, { withoutDynamic, unsigned: await productsSaturate() })?.bytes;
}

/** Says what the reference is where it isn't the file as it stands. */
export function referenceNotes({ path, bytes }: Source): readonly Diagnostic[] {
  const { replaced = [], halves = false } = standardForm(bytes) ?? {};
  return [
    ...(replaced.length === 0 ? [] : [diagnostic('convert/reference', { replaced }, { file: path })]),
    ...(halves ? [diagnostic('convert/halves', {}, { file: path })] : []),
  ];
}
