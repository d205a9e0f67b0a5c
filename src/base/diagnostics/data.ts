import { define } from './define.js';

export const dataDiagnostics = {
} as const;
