// What test/engines/webgpu.test.ts runs in a browser: training steps on a backend of TensorFlow.js.
import * as tf from '@tensorflow/tfjs';
// it registers itself
// oxlint-disable-next-line import/no-unassigned-import
import '@tensorflow/tfjs-backend-webgpu';
import { openOnTfjs } from '../../src/engines/tfjs-program.js';
import { type TrainedCase, lossesOf, trainedStep } from './trained-case.js';

/** The losses of 10 steps on WebGPU, and the tensors that are left behind. */
export async function losses(one: TrainedCase): Promise<{ readonly losses: readonly number[]; readonly left: number }> {
  const step = trainedStep(one);
  await tf.setBackend('webgpu');
  await tf.ready();
  const before = tf.memory().numTensors;
  const opened = await openOnTfjs(step.program, tf, 'webgpu');
  const found = await lossesOf(step, (feeds) => opened.step(feeds));
  await opened.dispose();
  return { losses: found, left: tf.memory().numTensors - before };
}
