import type { Declared, Value } from './values.js';
import { errorValue } from './values.js';
import type { Declaration } from '../syntax/index.js';
import { constantFunctions, type Environment, type EvaluationContext } from './evaluate.js';
import type { Instantiator } from './instantiate.js';
import { layerNamed } from './layers/index.js';
import type { LoadedFile } from './load.js';
import { useNeuron } from './neuron-parameters.js';
import type { Reporter } from './reporter.js';

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
export function fileEnvironment(file: LoadedFile, instantiator: Instantiator): Environment {
  return {
    lookup: (name) => {
      const declared = file.scope.get(name);
      if (declared !== undefined) return declaredValue(declared, instantiator);
      return mayBeHidden(name, file) ? errorValue : undefined;
    },
    elsewhere: file.elsewhere,
    names: () => [...file.scope].filter(([, { declaration }]) => declaration.kind !== 'config').map(([name]) => name),
  };
}

/** What expressions in a file's configs see. */
export function fileContext(file: LoadedFile, reporter: Reporter, instantiator: Instantiator): EvaluationContext {
  return {
    environment: fileEnvironment(file, instantiator),
    reporter,
    useNeuron: (def, written, context) => {
      const use = useNeuron(def, written, context);
      return use === undefined ? errorValue : { kind: 'neuron', use };
    },
    useBlock: (block, written, context) => instantiator.blockWith(block, written, context),
  };
}

function declaredValue({ declaration, file, missing }: Declared, instantiator: Instantiator): Value {
  if (missing) return errorValue;
  switch (declaration.kind) {
    case 'block':
      return { kind: 'block', declared: { declaration, file } };
    case 'neuron':
      return { kind: 'neuronDef', def: instantiator.neuron(declaration) };
    case 'network':
    case 'config':
      return { kind: declaration.kind, name: declaration.name.text };
  }
}
