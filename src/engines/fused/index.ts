import { emitOnnx } from '../../backends/onnx/index.js';
import { type Program, batchSize, checkedFeed } from '../../tensor/index.js';
import { loadOnnxruntime } from '../onnxruntime-session.js';
import type { CompileOptions, Engine, Executable } from '../types.js';
import { type OrtLike, createLane } from './lane.js';
import { partition } from './partition.js';
import { type Plan, makePlan } from './plan.js';

export const fusedEngine: Engine = { name: 'fused', compile };

async function compile(program: Program, options: CompileOptions = {}): Promise<Executable> {
  const split = partition(program);
  const models = split.segments.flatMap((s) => (s.kind === 'session' ? [emitOnnx(s.program)] : []));
  const ort = (await loadOnnxruntime()) as unknown as OrtLike;
  const lane = await createLane(ort, { models, threads: options.threads ?? 2 });
  const plans = new Map<number, Plan>();
  return {
    engine: 'fused',
    async run(inputs) {
      const n = batchSize(program, inputs) ?? 1;
      let plan = plans.get(n);
      if (plan === undefined) {
        plan = makePlan(program, split, n);
        plans.set(n, plan);
        lane.load(n, plan);
      }
      const r = await lane.run(
        n,
        Object.fromEntries(program.inputs.map((i) => [i.id, checkedFeed(i, inputs[i.id], n).data])),
      );
      return Object.fromEntries(
        Object.entries(plan.outputs).map(([name, { dtype, shape }]) => [
          name,
          { dtype, shape, data: r[name]! } as never,
        ]),
      );
    },
    dispose: () => lane.dispose(),
  };
}
