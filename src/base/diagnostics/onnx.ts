import { define } from './define.js';

export const onnxDiagnostics = {
} as const;
