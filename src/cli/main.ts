#!/usr/bin/env node
import * as module from 'node:module';
import { exitCode } from './exit.js';
import { packageVersion } from '../workspace/version.js';
import type { Interrupt } from './session.js';

let lost = false;
// A reader that has seen enough (`| head`) is no error, and the work goes on without it: a training writes files too.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || lost) return;
  lost = true;
  process.exitCode = exitCode.usage;
  const reason = /^[A-Z0-9]+: ([^,]*)/.exec(error.message)?.[1] ?? error.message;
  process.stderr.write(`error: the output can't be written: ${reason}\n`);
});
// Nobody is left to be told.
process.stderr.on('error', () => undefined);
// Files are written synchronously, so the handlers run before or after a write, never within one.
const interrupt: Interrupt = {};
function end(code: number): void {
  process.stderr.write(`\n${interrupt.say?.() ?? ''}`);
  process.exit(code);
}
let asked = false;
process.on('SIGINT', () => {
  if (!asked && interrupt.ask?.() === true) asked = true;
  else end(exitCode.interrupted);
});
process.on('SIGTERM', () => end(143));

const args = process.argv.slice(2);
// For the version alone nothing else is loaded.
if (args.length === 1 && ['--version', '-V'].includes(args[0]!)) process.stdout.write(`${packageVersion()}\n`);
else {
  // Where Node can keep compiled code (22.8), the next start is faster.
  (module as { enableCompileCache?: () => void }).enableCompileCache?.();
  const [{ run }, { processTerminal }] = await Promise.all([import('./program.js'), import('./terminal.js')]);
  const { asksForVersions, printVersions } = await import('./version.js');
  const code = asksForVersions(args)
    ? await printVersions(processTerminal(), args.includes('--json')).then(() => exitCode.ok)
    : await run(args, processTerminal(), async () => (await import('../commands/index.js')).driver, interrupt);
  process.exitCode = lost ? exitCode.usage : code;
}
