import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { fail } from '../base/diagnostics/index.js';
import { type Tensor, elementCount } from '../base/dtype.js';
import { present } from '../base/invariant.js';
import { readBytes } from '../data/index.js';
import { openOnnxSource } from '../engines/index.js';
import { distillations, sampleShape } from '../lower/program/index.js';
import type { Teacher } from '../train/index.js';
import { diskLoader } from '../workspace/files.js';
import type { PlannedTraining } from '../workspace/planned-training.js';
import { outputShape } from './fit.js';
import { runnableForm } from './reference.js';

export interface TeacherOptions {
  readonly allowOutside?: boolean;
  readonly threads?: number;
}

/**
 * The training with its teacher, where its loss has a distillation: a file beside the model file, `model`. One that can't
 * teach this network is refused.
 */
export async function withTeacher(
  plan: PlannedTraining,
  model: string,
  { allowOutside = false, threads }: TeacherOptions,
): Promise<PlannedTraining> {
  const { network, settings } = plan;
  const [distillation] = distillations(settings.loss);
  if (distillation === undefined) return plan;
  const name = distillation.teacher;
  const path = resolve(dirname(model), name);
  if (!allowOutside && diskLoader(model, false).leaves?.(path) === true)
    refuse(name, 'lies outside of the model file’s folder', 'say --allow-outside where that is meant');
  const bytes = readBytes(path);
  const [shape, classes] = [sampleShape(network), elementCount(outputShape(network))];
  const input = network.ops.find(({ kind }) => kind === 'input');
  if (shape.length > present(input, 'run: a network without input').type.shape.length)
    refuse(name, 'takes images, and the network frames over time', 'train with `coding direct`');
  // onnxruntime says what is wrong with a file that isn't ONNX
  const written = await runnableForm(bytes).catch(() => undefined);
  const open = (): Promise<Teacher> => openTeacher(written ?? path, { name, shape, classes, threads });
  // one sample shows whether it fits
  const first = await open();
  try {
    await first.logits({ dtype: 'f32', shape: [1, ...shape], data: new Float32Array(elementCount(shape)) });
  } finally {
    await first.close();
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { ...plan, settings: { ...settings, teacher: sha256 }, teacher: open };
}

interface Pupil {
  /** How the model file names the teacher. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly classes: number;
  readonly threads: number | undefined;
}

async function openTeacher(file: Uint8Array | string, { name, shape, classes, threads }: Pupil): Promise<Teacher> {
  const source = await openOnnxSource(file, { name, ...(threads === undefined ? {} : { threads }) });
  const [port, ...others] = source.inputs;
  const [output] = source.outputs;
  const axes = port?.shape.slice(1) ?? [];
  const fits = axes.length === shape.length && axes.every((size, i) => typeof size !== 'number' || size === shape[i]);
  const reason =
    port === undefined || others.length > 0
      ? `has ${source.inputs.length} inputs, not one`
      : port.dtype !== 'f32' && port.dtype !== 'f64'
        ? `takes samples of type ${port.dtype}, and the network real ones`
        : fits
          ? undefined
          : `takes samples [${axes.join(', ')}], and the network [${shape.join(', ')}]`;
  if (reason !== undefined) {
    await source.dispose();
    return refuse(name, reason);
  }
  const logits = async (images: Tensor<'f32'>): Promise<Tensor> => {
    const results = await source.run({ [port!.name]: images }, [output!.name]);
    const { data, shape: found } = present(results[output!.name], 'run: the teacher has no output');
    const n = images.shape[0]!;
    if (data.length !== n * classes)
      refuse(name, `gives [${found.join(', ')}] for ${n} samples, and the network has ${classes} outputs`);
    return { dtype: 'f32', shape: [n, classes], data: Float32Array.from(data as ArrayLike<number>) };
  };
  return { logits, close: () => source.dispose() };
}

function refuse(teacher: string, reason: string, help?: string): never {
  return fail('train/teacher', { teacher, reason }, undefined, { help });
}
