import { define } from './define.js';

export const convertDiagnostics = {
} as const;
