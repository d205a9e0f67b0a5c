import type { NeuronDef } from '../equations/index.js';
import type { CallExpression, Declaration, NeuronDeclaration } from '../syntax/index.js';
import { constantFunctions, type Environment, type EvaluationContext } from './evaluate.js';
import { layerNamed } from './layers/index.js';
import type { Declared, LoadedFile } from './declared.js';
import { useNeuron } from './neuron-parameters.js';
import type { Reporter } from './reporter.js';
import { type BlockValue, type Value, errorValue } from './values.js';

/** What declarations are worth, each made once. */
export interface Declarations {
  neuron(declaration: NeuronDeclaration): NeuronDef;
  /** A block with some of its arguments, which are worked out where they stand: `InterlaminarBlock(gamma: 0.25)`. */
  blockWith(block: BlockValue, written: CallExpression, context: EvaluationContext): Value;
}

/**
 * Whether a damaged declaration of the file, whose own name can't be read, may be what an unknown name means. Then its
 * damage is reported, and the name isn't.
 */
export function mayBeHidden(
  name: string,
  { hidden }: LoadedFile,
  kinds: readonly Declaration['kind'][] = ['block', 'neuron'],
): boolean {
  if (hidden.size === 0 || layerNamed(name) !== undefined || constantFunctions.has(name)) return false;
  // Networks and configs are mentioned as such; what else begins with a small letter is a layer or a value.
  const isSmall = /^[a-z]/.test(name);
  const isNamed = kinds.some((kind) => hidden.has(kind) && (!isSmall || kind === 'network' || kind === 'config'));
  return isNamed || (hidden.has('use') && (!isSmall || kinds.includes('config')));
}

/** The names a file declares and imports, as values. */
export function fileEnvironment(file: LoadedFile, declarations: Declarations): Environment {
  return {
    lookup: (name) => {
      const declared = file.scope.get(name);
      if (declared !== undefined) return declaredValue(declared, declarations);
      return mayBeHidden(name, file) ? errorValue : undefined;
    },
    elsewhere: file.elsewhere,
    names: () => [...file.scope].filter(([, { declaration }]) => declaration.kind !== 'config').map(([name]) => name),
  };
}

/** What expressions in a file's configs see. */
export function fileContext(file: LoadedFile, reporter: Reporter, declarations: Declarations): EvaluationContext {
  return {
    environment: fileEnvironment(file, declarations),
    reporter,
    useNeuron: (def, written, context) => {
      const use = useNeuron(def, written, context);
      return use === undefined ? errorValue : { kind: 'neuron', use };
    },
    useBlock: (block, written, context) => declarations.blockWith(block, written, context),
  };
}

function declaredValue({ declaration, file, missing }: Declared, declarations: Declarations): Value {
  if (missing) return errorValue;
  switch (declaration.kind) {
    case 'block':
      return { kind: 'block', declared: { declaration, file } };
    case 'neuron':
      return { kind: 'neuronDef', def: declarations.neuron(declaration) };
    case 'network':
    case 'config':
      return { kind: declaration.kind, name: declaration.name.text };
  }
}
