import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** When a process began, in the system's own measure; nothing where there is no such process. */
export function startOf(pid: number): string | undefined {
  if (!runs(pid)) return undefined;
  if (process.platform === 'linux') {
    try {
      // behind the name, which may hold blanks and brackets: the state, then field 22
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)\s+/s, '').split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  if (process.platform === 'win32') return '0';
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { LC_ALL: 'C' } });
    return String(Date.parse(text.trim()) || 0);
  } catch {
    return undefined;
  }
}

/** Whether there is a process of this number. */
export function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Blocks: whoever writes does so at once, and what it waits for is another process. */
export function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
