import { define } from './define.js';

export const networkDiagnostics = {
} as const;
