import { createConnection } from 'vscode-languageserver/node';
import { diskHost } from './disk-host.js';
import { serve } from './server.js';

/** Serves one editor over standard input and output; done when the input ends. The editor's `exit` ends the process. */
export async function serveStdio(): Promise<void> {
  const connection = createConnection(process.stdin, process.stdout);
  serve(connection, diskHost);
  connection.listen();
  await new Promise((resolve) => process.stdin.once('end', resolve));
}
