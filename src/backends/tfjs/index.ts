export {
  type TfjsModuleParts,
  emitTfjsModule,
  emitTfjsProgram,
  tfjsEmitters,
  tfjsSupports,
  unsupportedByTfjs,
} from './emit.js';
export { tfTypes } from './context.js';
