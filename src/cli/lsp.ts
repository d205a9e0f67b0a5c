import { type Command, Option } from 'commander';
import type { Host } from './session.js';

/** `spikec lsp`: the language server, which editors start. */
export function addLsp(program: Command, host: Host): void {
  program
    .command('lsp')
    .summary('serve an editor (language server)')
    .description(
      'Serve an editor by the language server protocol over standard input and output: diagnostics and their remedies, ' +
        'completion, hovers, types behind lines, definitions, references, renaming, symbols, folding, formatting, and what ' +
        'each config costs.',
    )
    // what editors pass
    .addOption(new Option('--stdio', 'over standard input and output, the only way there is').hideHelp())
    .addHelpText('after', '\nExample: Neovim\n  vim.lsp.start({ name = "spikec", cmd = { "npx", "spikec", "lsp" } })\n')
    .action(async () => {
      const { serveStdio } = await import('../lsp/stdio.js');
      await serveStdio();
      host.exit(0);
    });
}
