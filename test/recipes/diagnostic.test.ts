import { expect, it, vi } from 'vitest';
import { type Code, diagnostic, diagnosticTable } from '../../src/base/diagnostics/index.js';

// A diagnostic: a row in the table of its area.

vi.mock('../../src/base/diagnostics/network.js', async (original) => {
  const { networkDiagnostics } = await original<typeof import('../../src/base/diagnostics/network.js')>();
  const { define } = await import('../../src/base/diagnostics/define.js');
  const row = define<{ op: string }>(
    'warning',
    ({ op }) => `%${op} is a toy`,
    'A toy is in the network. Take a layer.',
  );
  return { networkDiagnostics: { ...networkDiagnostics, 'network/toy': row } };
});

it('a new diagnostic has its severity, message and explanation from its row', () => {
  const code = 'network/toy' as Code;
  expect(diagnosticTable[code]).toBeDefined();
  const made = diagnostic(code, { op: 'x' } as never, { file: 'a.ir' }, { help: 'take a layer' });
  expect(made).toMatchObject({ code, severity: 'warning', message: '%x is a toy', help: 'take a layer' });
});
