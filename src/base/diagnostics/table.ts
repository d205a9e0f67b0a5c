import { allocateDiagnostics } from './allocate.js';
import { cliDiagnostics } from './cli.js';
import { convertDiagnostics } from './convert.js';
import { dataDiagnostics } from './data.js';
import { engineDiagnostics } from './engine.js';
import { eventDiagnostics } from './events.js';
import { fileDiagnostics } from './file.js';
import { modelDiagnostics } from './model.js';
import { networkDiagnostics } from './network.js';
import { nirDiagnostics } from './nir.js';
import { onnxDiagnostics } from './onnx.js';
import { passDiagnostics } from './pass.js';
import { reportDiagnostics } from './report.js';
import { syntaxDiagnostics } from './syntax.js';
import { torchDiagnostics } from './torch.js';
import { trainDiagnostics } from './train.js';

/** Every diagnostic the compiler can give, by code `area/kebab-code`. */
export const diagnosticTable = {
  ...syntaxDiagnostics,
  ...modelDiagnostics,
  ...onnxDiagnostics,
  ...nirDiagnostics,
  ...networkDiagnostics,
  ...convertDiagnostics,
  ...passDiagnostics,
  ...dataDiagnostics,
  ...eventDiagnostics,
  ...engineDiagnostics,
  ...fileDiagnostics,
  ...trainDiagnostics,
  ...torchDiagnostics,
  ...reportDiagnostics,
  ...allocateDiagnostics,
  ...cliDiagnostics,
} as const;

export type DiagnosticTable = typeof diagnosticTable;
export type Code = keyof DiagnosticTable;
export type ArgsOf<C extends Code> = Parameters<DiagnosticTable[C]['message']>[0];
