import { spawn, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PythonServer, hasModules, installedPython, python } from './pytorch.js';
import { temporaryFolder } from './temporary-folder.js';

const hasPython = hasModules('programs of tests', 'json');

describe.skipIf(!hasPython)('Python of the tests', () => {
  it('says how a program ended and what it said', () => {
    const server = new PythonServer(installedPython, []);
    const folder = temporaryFolder();
    expect(server.run(folder, ['-c', 'import os; print(os.getcwd())'])).toEqual({
      status: 0,
      stdout: `${folder}\n`,
      stderr: '',
    });
    expect(server.run(folder, ['-c', 'import sys; sys.exit("not this")'])).toEqual({
      status: 1,
      stdout: '',
      stderr: 'not this\n',
    });
    expect(server.run(folder, ['-c', 'import os; os.kill(os.getpid(), 9)']).status).toBe(-9);
  });

  it('that dies is an error with its last words, never the output of the run before, and the next run has a new one', () => {
    const server = new PythonServer(installedPython, []);
    const folder = temporaryFolder();
    expect(server.run(folder, ['-c', 'print("before")']).stdout).toBe('before\n');
    const kill = 'import os; os.kill(os.getppid(), 9)';
    expect(() => server.run(folder, ['-c', kill])).toThrow('died before it answered: it said nothing');
    expect(server.run(folder, ['-c', 'print("after")']).stdout).toBe('after\n');
  });

  it('that dies between two runs is started anew', async () => {
    const server = new PythonServer(installedPython, []);
    const folder = temporaryFolder();
    const killer = `
import os, time
parent = os.getppid()
if os.fork() == 0:
    end = time.monotonic() + 200
    while not os.path.exists("answered") and time.monotonic() < end:
        time.sleep(0.01)
    os.kill(parent, 9)
    try:
        while time.monotonic() < end:
            os.kill(parent, 0)
            time.sleep(0.01)
    except ProcessLookupError:
        open("gone", "w").close()`;
    expect(server.run(folder, ['-c', killer]).status).toBe(0);
    writeFileSync(join(folder, 'answered'), '');
    await expect.poll(() => existsSync(join(folder, 'gone')), { timeout: 200_000 }).toBe(true);
    expect(server.run(folder, ['-c', 'print("after")']).stdout).toBe('after\n');
  });
});

it('a Python that is not there is an error that says so, not a wait', () => {
  const server = new PythonServer('/no/python', []);
  expect(() => server.run('.', ['-c', ''])).toThrow(/died before it answered: .*\/no\/python/);
});

describe.skipIf(!hasPython || process.platform === 'win32')('Python of the tests as a process', () => {
  it('has the streams, folder, environment and exit code of a process of its own', () => {
    const folder = temporaryFolder();
    const code = `import os, sys
print(sys.stdin.read(), os.getcwd(), os.environ["WORD"], sys.argv[1], os.getppid())
print("words", file=sys.stderr)
sys.exit(7)`;
    const { status, stdout, stderr } = spawnSync(python, ['-c', code, 'given'], {
      cwd: folder,
      input: 'said',
      encoding: 'utf8',
      env: { ...process.env, WORD: 'here' },
    });
    expect(stdout).toMatch(new RegExp(`^said ${folder} here given \\d+\n$`));
    expect(stdout).not.toContain(` ${process.pid}\n`);
    expect([status, stderr]).toEqual([7, 'words\n']);
    expect(spawnSync(python, ['-c', 'import os; os.kill(os.getpid(), 9)']).signal).toBe('SIGKILL');
    expect(spawnSync(python, ['--version'], { encoding: 'utf8' }).stdout).toMatch(/^Python 3/);
  });

  it('is told of a Ctrl-C, and ends with its process', async () => {
    const folder = temporaryFolder();
    const code = `import os, time
try:
    print(os.getpid(), flush=True)
    time.sleep(200)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    time.sleep(200)`;
    const child = spawn(python, ['-c', code], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    const next = (): Promise<string> =>
      new Promise((settle) => child.stdout.once('data', (text) => settle(String(text))));
    const pid = Number(await next());
    child.kill('SIGINT');
    expect(await next()).toBe('interrupted\n');
    child.kill('SIGKILL');
    await new Promise((settle) => child.once('close', settle));
    const isThere = (): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await expect.poll(isThere, { timeout: 200_000 }).toBe(false);
  });
});
