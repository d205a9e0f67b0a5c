/** A reporter for vitest whose only output is the last line: `N passed, N failed, N skipped`. */
export default class CountReporter {
  onTestRunEnd(modules, unhandledErrors) {
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
