import type { Declared, Value } from './values.js';
import { errorValue } from './values.js';
import type { Environment, EvaluationContext } from './evaluate.js';
import type { Instantiator } from './instantiate.js';
import type { LoadedFile } from './load.js';
import { useNeuron } from './neuron-parameters.js';
import type { Reporter } from './reporter.js';

/** The names a file declares and imports, as values. */
export function fileEnvironment(file: LoadedFile, instantiator: Instantiator): Environment {
  return {
    lookup: (name) => {
      const declared = file.scope.get(name);
      return declared === undefined ? undefined : declaredValue(declared, instantiator);
    },
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
