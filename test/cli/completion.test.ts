import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { manualPage } from '../../src/cli/man.js';
import { programForDocs } from '../../src/cli/program.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { spikec } from './fake.js';

it('docs/spikec.1 is what the command line says (npm run docs)', async () => {
  expect(readFileSync('docs/spikec.1', 'utf8')).toBe(manualPage(await programForDocs()));
});

it('bash completes commands, options and their choices by the script', async () => {
  const { out, code } = await spikec(['completion', 'bash']);
  expect(code).toBe(0);
  const script = join(temporaryFolder(), 'completion.bash');
  writeFileSync(script, out);
  const complete = (...words: string[]): string[] => {
    const list = words.map((word) => `'${word}'`).join(' ');
    const line = `source '${script}'; COMP_WORDS=(spikec ${list}); COMP_CWORD=${words.length}; _spikec; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', line], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout.split('\n').filter((word) => word !== '');
  };
  expect(complete('ch')).toEqual(['check']);
  expect(complete('train', '--re')).toContain('--resume');
  expect(complete('compile', '--emit', 'on')).toEqual(['onnx']);
  expect(complete('convert', '--coding', 'r')).toEqual(['rate']);
  expect(complete('cost', '--jso')).toEqual(['--json']);
  expect(complete('check', join('models', 'mult'))).toEqual([join('models', 'multibit')]);
});

it('the scripts of other shells name every command and option; an unknown shell is refused', async () => {
  const commands = (await programForDocs()).commands.map((command) => command.name());
  for (const shell of ['zsh', 'fish']) {
    const { out } = await spikec(['completion', shell]);
    for (const name of commands) expect(out).toContain(name);
    expect(out).toContain('resume');
  }
  const { code, err } = await spikec(['completion', 'fihs']);
  expect(code).toBe(2);
  expect(err).toContain('did you mean "fish"?');
});
