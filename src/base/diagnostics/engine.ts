import { define } from './define.js';

export const engineDiagnostics = {
} as const;
