import { expect, it } from 'vitest';
import { Findings } from '../../src/workspace/findings.js';
import { chooseConfig } from '../../src/workspace/choose-config.js';
import { openTarget } from '../../src/workspace/open.js';
import { checkModel, memoryLoader } from '../../src/model/index.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const path = 'net.spike';

function modelOf(...configs: readonly string[]) {
  const text = configs.map((name) => `config ${name} { network onnx("net.onnx")  coding sws(steps: 8) }`).join('\n');
  const { value, diagnostics } = checkModel({ name: path, text }, memoryLoader({}));
  if (value === undefined) throw new Error(diagnostics.map((d) => d.message).join('\n'));
  return value;
}

it('the only configuration needs no name', () => {
  expect(chooseConfig(modelOf('base'), { path }).name).toBe('base');
});

it('one of several has to be named; the error lists them', () => {
  const model = modelOf('base', 'fast');
  expect(chooseConfig(model, { path, config: 'fast' }).name).toBe('fast');
  const problem = expectDiagnostic('cli/which-config', () => chooseConfig(model, { path }));
  expect(problem.help).toContain('net.spike#base');
});

it('a slip in the name is pointed out', () => {
  const problem = expectDiagnostic('cli/unknown-config', () =>
    chooseConfig(modelOf('base', 'fast'), { path, config: 'fats' }),
  );
  expect(problem.help).toBe('did you mean "fast"? it has base, fast');
});

it('a file without configurations cannot be compiled', () => {
  expectDiagnostic('cli/no-config', () => chooseConfig(modelOf(), { path }));
});

it('a folder has no configurations to choose from', () => {
  const target = { path: temporaryFolder(), config: 'fast' };
  const problem = expectDiagnostic('cli/unknown-config', () => openTarget(target, {}, new Findings()));
  expect(problem.help).toBe('a folder or .ir file holds one network: leave out "#fast"');
});
