import { expect, it } from 'vitest';
import { parseNetwork } from '../../src/network/index.js';

it('a second input, which nothing feeds, is refused at its line', () => {
  const text = `network "two"
  %a = input {shape=[2]} : real[2]
  %b = input {shape=[2]} : real[2]
  %r = relu %a : real[2]
  output %r
`;
  const { value, diagnostics } = parseNetwork({ name: 'two.ir', text }, new Map());
  expect(value).toBeUndefined();
  expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
    ['network/invalid', expect.stringContaining('%b is a second input')],
  ]);
  expect(text.split('\n')[2]).toContain('%b');
  expect(diagnostics[0]!.place).toMatchObject({ start: text.indexOf('%b') });
});
