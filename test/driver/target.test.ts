import { expect, it } from 'vitest';
import { chooseConfig } from '../../src/driver/target.js';

const configs = [{ name: 'base' }, { name: 'fast' }];
const path = 'net.spike';

it('the only configuration needs no name', () => {
  expect(chooseConfig({ path }, [{ name: 'base' }]).value).toEqual({ name: 'base' });
});

it('one of several has to be named; the error lists them', () => {
  expect(chooseConfig({ path, config: 'fast' }, configs).value).toEqual({ name: 'fast' });
  const [problem] = chooseConfig({ path }, configs).diagnostics;
  expect(problem).toMatchObject({ code: 'cli/which-config', help: 'name one: net.spike#base, net.spike#fast' });
});

it('a slip in the name is pointed out', () => {
  const { value, diagnostics } = chooseConfig({ path, config: 'fats' }, configs);
  expect(value).toBeUndefined();
  expect(diagnostics[0]).toMatchObject({ code: 'cli/unknown-config', help: 'did you mean "fast"?' });
});

it('a file without configurations cannot be compiled', () => {
  expect(chooseConfig({ path }, []).diagnostics[0]?.code).toBe('cli/no-config');
  expect(chooseConfig({ path, config: 'x' }, []).diagnostics[0]?.code).toBe('cli/unknown-config');
});
