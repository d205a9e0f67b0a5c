import { define } from './define.js';

export const modelDiagnostics = {
} as const;
