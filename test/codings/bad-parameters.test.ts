import { expect, it } from 'vitest';
import { checkModel } from '../../src/model/index.js';
import { conversionProblems } from '../../src/workspace/conversion-rules.js';
import { testLoader } from '../support/spike.js';

it.each([
  ['sws(beta: 1)', 'model/argument-type', 'greater than 1'],
  ['sws(steps: 4, silent: 5)', 'convert/bad-coding', 'use silent: 4 at most'],
  ['burst(steps: 8, beta: 1)', 'model/argument-type', 'greater than 1'],
  ['burst(steps: 3)', 'convert/bad-coding', 'more steps'],
  ['phase(steps: 10, period: 4)', 'convert/bad-coding', 'write steps: 12'],
  ['ttfs(steps: 8, tau: 100)', 'convert/bad-coding', 'smaller tau'],
  ['ttfs(steps: 2000, tau: 1)', 'convert/bad-coding', 'larger tau'],
  ['offset(steps: 4, look: 8)', 'convert/bad-coding', 'use look: 4 at most'],
  ['binary(bits: 0)', 'model/argument-type', 'between 1 and 16'],
  ['binary(bits: 4, steps: 2)', 'convert/bad-coding', 'leave out `steps`'],
  ['pattern(steps: 0)', 'model/argument-type', 'between 1 and 24'],
  ['ttfs_dynamic(steps: 1)', 'convert/useless-steps', 'use steps: 16 at least'],
  ['ttfs_dynamic(steps: 0)', 'model/argument-type', 'between 1 and 4096'],
])('a coding that can carry nothing is refused before any file is read: %s', (coding, wanted, said) => {
  const text = `config c { network onnx("net.onnx") coding ${coding} }`;
  const { value, diagnostics } = checkModel({ name: 'm.spike', text }, testLoader());
  const config = [...(value?.configs.values() ?? [])][0];
  const found = [...diagnostics, ...(config === undefined ? [] : conversionProblems(config))];
  expect(found.map(({ code }) => code)).toContain(wanted);
  expect(found.map(({ message, help = '' }) => `${message} ${help}`).join('\n')).toContain(said);
});
