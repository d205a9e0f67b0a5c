import { execFileSync } from 'node:child_process';

/** No test takes as long as this: its own limit is half of it. Milliseconds. */
const STALLED = 600_000;

/**
 * A reporter for vitest whose only output is the last line: `N passed, N failed, N skipped`. A process in which nothing ends
 * for ten minutes stands still in a call that no timer interrupts: it is named with its tests, and ended, which fails them.
 */
export default class CountReporter {
  #running = new Set();
  #last = Date.now();
  #watch;

  onTestRunStart() {
    this.#watch = setInterval(() => this.#endStalled(), 30_000);
    this.#watch.unref();
  }

  onTestCaseReady(test) {
    this.#began(`${test.module.relativeModuleId} > ${test.fullName}`);
  }

  onTestCaseResult(test) {
    this.#ended(`${test.module.relativeModuleId} > ${test.fullName}`);
  }

  onTestModuleQueued(module) {
    this.#began(module.relativeModuleId);
  }

  onTestModuleEnd(module) {
    this.#ended(module.relativeModuleId);
  }

  #began(what) {
    this.#running.add(what);
    this.#last = Date.now();
  }

  #ended(what) {
    this.#running.delete(what);
    this.#last = Date.now();
  }

  #endStalled() {
    if (Date.now() - this.#last < STALLED) return;
    this.#last = Date.now();
    console.error(
      `\nNothing has ended for ${STALLED / 60_000} minutes; running:\n  ${[...this.#running].join('\n  ')}`,
    );
    this.#running.clear();
    const list = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n');
    const rows = list.map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line)).filter((row) => row !== null);
    const below = (pid) => rows.filter(([, , parent]) => parent === pid).flatMap((row) => [...below(row[1]), row]);
    for (const [, pid, parent, args] of below(String(process.pid))) {
      if (args.startsWith('ps ')) continue;
      console.error(`  ended: ${pid} of ${parent}: ${args.slice(0, 200)}`);
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // it has ended by itself
      }
    }
  }

  onTestRunEnd(modules, unhandledErrors) {
    clearInterval(this.#watch);
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed' || state === 'failed') counts[state]++;
        else counts.skipped++;
      }
      // A file that doesn't load has no tests that could fail.
      if (module.state() === 'failed' && [...module.children.allTests()].length === 0) counts.failed++;
    }
    counts.failed += unhandledErrors.length;
    // After the other reporters' summaries.
    setImmediate(() => console.log(`${counts.skipped} skipped\n${counts.passed} passed, ${counts.failed} failed`));
  }
}
