#!/usr/bin/env node
import { exitCode } from './exit.js';
import { packageVersion } from '../workspace/version.js';

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCode.ok);
  throw error;
});
// Files are written synchronously, so the handlers run before or after a write, never within one.
process.on('SIGINT', () => {
  process.stderr.write('\n');
  process.exit(exitCode.interrupted);
});
process.on('SIGTERM', () => process.exit(143));

const args = process.argv.slice(2);
// For the version alone nothing else is loaded.
if (args.length === 1 && ['--version', '-V'].includes(args[0]!)) process.stdout.write(`${packageVersion()}\n`);
else {
  const [{ run }, { processTerminal }] = await Promise.all([import('./program.js'), import('./terminal.js')]);
  process.exitCode = await run(args, processTerminal(), async () => (await import('../commands/index.js')).driver);
}
