/** Every kind of layer the Network IR knows; each has a row in the table of ops/index.ts. */
export const opKinds = [
  'input',
  'quantize',
  'conv',
  'linear',
  'batchnorm',
  'affine',
  'add',
  'mul',
  'concat',
  'relu',
  'clip',
  'sigmoid',
  'channel_conv',
  'avgpool',
  'globalavgpool',
  'maxpool',
  'flatten',
  'reshape',
  'pad',
  'dropout',
  'identity',
  'encode',
  'neuron',
  'maxprefix',
  'delay',
  'decode',
  'planes',
  'gather',
  'squeeze',
] as const;

export type OpKind = (typeof opKinds)[number];

export function isOpKind(text: string): text is OpKind {
  return (opKinds as readonly string[]).includes(text);
}
