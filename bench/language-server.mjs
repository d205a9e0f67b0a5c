// What a keystroke costs the language server: processor time from the change of a document to the answer, in files of up to 1,000
// lines. The pause that the server leaves before it looks (60 ms) is no part of it.
import { PassThrough } from 'node:stream';
import { createConnection } from 'vscode-languageserver/node';
import { createProtocolConnection } from 'vscode-languageserver-protocol/node';
import { diskHost } from '../dist/src/lsp/disk-host.js';
import { Project } from '../dist/src/lsp/project.js';
import { serve } from '../dist/src/lsp/server.js';
import { shownDiagnostics } from '../dist/src/lsp/diagnostics.js';

const uri = 'file:///bench/model.spike';
const rounds = 15;

/** A file of so many lines: blocks, networks and configs of every kind, of which each network has its own. */
function fileOf(lines) {
  const parts = ['use "spikec/neurons" { LIF }\n'];
  for (let n = 0; parts.join('').split('\n').length < lines; n++) {
    parts.push(`
// Block ${n}.
block Cell${n}(channels: int, kernel = 3) {
  input x
  body = x | conv(channels, kernel: kernel) | batchnorm | spike
  output body | conv(channels, kernel: kernel) | batchnorm | spike
}

network Net${n} {
  input image: real[3, 32, 32]
  stem   = image | conv(16, kernel: 3) | batchnorm | spike
  first  = stem | Cell${n}(16)
  second = first | avgpool(2) | Cell${n}(32)
  third  = second | avgpool(2) | Cell${n}(64)
  output third | flatten | linear(10)
}

config net${n} {
  network Net${n}
  neuron  LIF(tau: 2, theta: 1)
  coding  direct(steps: 4)
  train {
    data      cifar10
    optimizer sgd(lr: 0.1, momentum: 0.9)
    schedule  cosine
    epochs    10
  }
}

config longer${n} extends net${n} { coding direct(steps: 8) }
`);
  }
  return parts.join('');
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/** Median and greatest processor time in milliseconds. */
async function measured(work) {
  const times = [];
  for (let n = 0; n < rounds; n++) {
    const before = process.cpuUsage();
    await work(n);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  return `${median(times).toFixed(1).padStart(7)}${Math.max(...times)
    .toFixed(1)
    .padStart(9)}`;
}

/** The same line with another number: a space before it, a letter in a comment, a parameter, a broken line. */
const edits = {
  'a comment': (text, n) => text.replace('// Block 3.', `// Block 3${'x'.repeat(n + 1)}.`),
  'a space': (text, n) => text.replace('stem   = image', `stem   =${' '.repeat(n + 2)}image`),
  'a parameter of a layer': (text, n) => text.replace('avgpool(2) | Cell1(32)', `avgpool(2) | Cell1(${33 + n})`),
  'a parameter of a neuron': (text, n) =>
    text.replace('LIF(tau: 2, theta: 1)', `LIF(tau: ${2 + (n + 1) / 100}, theta: 1)`),
  'half a line': (text, n) =>
    text.replace('  second = first | avgpool(2)', `  second = first | avgp${'o'.repeat(n % 3)}`),
  'a bracket': (text, n) => (n % 2 === 0 ? text.replace('Cell2(16)', 'Cell2(16') : text),
};

async function inServer(text, ask) {
  const [toServer, toClient] = [new PassThrough(), new PassThrough()];
  const server = createConnection(toServer, toClient);
  const stop = serve(server, diskHost);
  server.listen();
  const client = createProtocolConnection(toClient, toServer);
  client.listen();
  await client.sendRequest('initialize', { processId: null, rootUri: null, capabilities: {} });
  await client.sendNotification('initialized', {});
  await client.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'spike', version: 1, text },
  });
  const textDocument = { uri };
  await client.sendRequest('textDocument/documentSymbol', { textDocument });
  const figures = await ask((method, more) => client.sendRequest(`textDocument/${method}`, { textDocument, ...more }));
  stop();
  client.dispose();
  server.dispose();
  return figures;
}

for (const lines of [100, 1000]) {
  const text = fileOf(lines);
  console.log(`\n${text.split('\n').length} lines           median      most  (milliseconds of processor time)`);
  const project = new Project(diskHost);
  const look = () => shownDiagnostics(project.analysis(uri), diskHost);
  project.change(uri, text);
  look();
  for (const [name, edit] of Object.entries(edits)) {
    // warmed up as an editor is that was open for a while
    for (let n = 0; n < 3; n++) {
      project.change(uri, edit(text, n));
      look();
    }
    const figures = await measured((n) => {
      project.change(uri, edit(text, n));
      look();
    });
    console.log(`${name.padEnd(26)}${figures}`);
  }
  await inServer(text, async (ask) => {
    const line = text.split('\n').findIndex((one) => one.includes('second = first'));
    const position = { line, character: 30 };
    const range = { start: { line: 0, character: 0 }, end: { line: 60, character: 0 } };
    for (const [method, more] of [
      ['completion', { position }],
      ['hover', { position }],
      ['semanticTokens/full', {}],
      ['inlayHint', { range }],
      ['documentSymbol', {}],
    ])
      console.log(`${method.padEnd(26)}${await measured(() => ask(method, more))}`);
  });
}
