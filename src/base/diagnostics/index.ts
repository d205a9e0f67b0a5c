export { type DiagnosticDef, type Severity, define } from './define.js';
export { type ArgsOf, type Code, diagnosticTable } from './table.js';
export {
  type Fix,
  type Help,
  type Remedy,
  textOfHelp,
  withWords,
  addingLine,
  givingArgument,
  writing,
} from './remedy.js';
export {
  type Diagnostic,
  DiagnosticError,
  type DiagnosticExtras,
  type Outcome,
  type Related,
  diagnostic,
  distinct,
  fail,
  hasErrors,
} from './diagnostic.js';
