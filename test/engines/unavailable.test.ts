import { expect, it, vi } from 'vitest';
import { DiagnosticError, type Diagnostic } from '../../src/base/diagnostics/index.js';
import { partition } from '../../src/engines/fused/partition.js';
import { makePlan } from '../../src/engines/fused/plan.js';
import { loadOnnxruntime } from '../../src/engines/onnxruntime-session.js';
import { ProgramBuilder } from '../../src/tensor/index.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';

vi.mock('onnxruntime-node', () => {
  throw new Error('libonnxruntime.so.1: cannot open shared object file');
});

it('an engine whose library cannot be loaded is a diagnostic with the reason', async () => {
  const error: unknown = await loadOnnxruntime().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DiagnosticError);
  const [problem] = (error as DiagnosticError).diagnostics as [Diagnostic];
  expect(problem.code).toBe('engine/unavailable');
  expect(problem.message).toContain('onnxruntime');
});

it('a batch beyond what WebAssembly can address is refused before memory is asked for', () => {
  const b = new ProgramBuilder('big');
  const x = b.input('x', 'f32', [{ batch: 1 }, 1024]);
  b.output('y', b.exp(b.neg(x)));
  const program = b.build();
  const split = partition(program);
  const plan = makePlan(program, split, 8);
  expect(plan).toBeDefined();
  expectDiagnostic('engine/batch-too-large', () => makePlan(program, split, 1e7));
});
