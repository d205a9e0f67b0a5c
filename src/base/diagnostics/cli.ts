import { define } from './define.js';

export const cliDiagnostics = {
} as const;
