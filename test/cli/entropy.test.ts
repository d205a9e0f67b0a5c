import { expect, it } from 'vitest';
import { spikec } from './fake.js';

it('entropy prints entropy, information loss and the levels', async () => {
  const ran = await spikec(['entropy', '--integer', '1', '--fraction', '0']);
  expect(ran.code).toBe(0);
  expect(ran.out).toMatchInlineSnapshot(`
    "entropy           0.848 bits
    information loss  1.200 bits

    level  probability
        0       0.7257
        1       0.2743
    "
  `);
});

it('entropy --json has the documented keys', async () => {
  const ran = await spikec(['entropy', '--integer', '2', '--fraction', '1', '--theta', '1', '--json']);
  const result = JSON.parse(ran.out) as { levels: object[] };
  expect(Object.keys(result)).toEqual(expect.arrayContaining(['entropy', 'information_loss', 'levels']));
  expect(result.levels).toHaveLength(8);
  expect(Object.keys(result.levels[0]!)).toEqual(['value', 'probability']);
});

it('entropy refuses spikes without bits or with too many, and thresholds that aren’t positive', async () => {
  const refused = async (...args: string[]): Promise<string> => {
    const ran = await spikec(['entropy', ...args]);
    expect(ran.code).toBe(1);
    return ran.err;
  };
  expect(await refused('--integer', '0', '--fraction', '0')).toContain('cli/spike-bits');
  expect(await refused('--integer', '9', '--fraction', '8')).toContain('cli/spike-bits');
  expect(await refused('--integer', '1', '--fraction', '0', '--theta', '0')).toContain('cli/threshold');
});

it('an option given twice is wrong usage: neither value counts in silence', async () => {
  const ran = await spikec(['entropy', '--integer', '1', '--integer', '2', '--fraction', '0', '--json']);
  expect(ran.code).toBe(2);
  expect(ran.err).toContain("error[cli/usage]: option '--integer' is given twice\n");
  expect(JSON.parse(ran.out)).toMatchObject({ diagnostics: [{ code: 'cli/usage' }] });
  expect((await spikec(['diff', 'a.spike', 'b.spike', '-o', 'a', '--out', 'b'])).err).toContain(
    "'--out' is given twice",
  );
});
