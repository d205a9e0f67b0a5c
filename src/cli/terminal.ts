/** Where a command talks to people: results go to `out`, everything else to `err`. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** `err` is a screen, so that lines may be redrawn. */
  readonly interactive: boolean;
  /** `err` and `out` may be coloured. */
  readonly colour: { readonly out: boolean; readonly err: boolean };
  /** Width of the screen in columns. */
  readonly columns: number;
  /** Width of the screen that `out` is; missing where it is none. */
  readonly outColumns?: number;
}

/** The process's own streams. Colours follow NO_COLOR and FORCE_COLOR, otherwise whether a stream is a screen. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const coloured = (stream: NodeJS.WriteStream): boolean => {
    if (env['NO_COLOR']) return false;
    if (env['FORCE_COLOR'] && env['FORCE_COLOR'] !== '0') return true;
    // undefined behind a pipe, whatever its type says; picocolors would take that for its own default
    return Boolean(stream.isTTY) && env['TERM'] !== 'dumb';
  };
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    interactive: Boolean(stderr.isTTY) && env['TERM'] !== 'dumb' && !env['CI'],
    colour: { out: coloured(stdout), err: coloured(stderr) },
    columns: stderr.columns || 80,
    ...(stdout.isTTY ? { outColumns: stdout.columns || 80 } : {}),
  };
}
