#!/usr/bin/env node
import { exitCode } from './exit.js';
import { run } from './program.js';
import { processTerminal } from './terminal.js';

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

process.exitCode = await run(process.argv.slice(2), processTerminal(), async () => {
  const { driver } = await import('../commands/index.js');
  return driver;
});
