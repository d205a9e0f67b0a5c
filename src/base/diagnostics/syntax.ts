import { define } from './define.js';

export const syntaxDiagnostics = {
} as const;
