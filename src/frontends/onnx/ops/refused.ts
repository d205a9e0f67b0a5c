/** Operators people meet in the wild that are not imported, and what to do instead. */
export const refusals: ReadonlyMap<string, string> = new Map(
  Object.entries({
    LeakyRelu: 'spikes carry no negative slope exactly; train with ReLU instead',
    PRelu: 'spikes carry no negative slope exactly; train with ReLU instead',
    Elu: 'train with ReLU instead',
    Selu: 'train with ReLU instead',
    Gelu: 'train with ReLU instead',
    HardSwish: 'train with ReLU instead',
    HardSigmoid: 'train with ReLU instead',
    Tanh: 'train with ReLU instead',
    Erf: 'train with ReLU instead',
    DynamicQuantizeLinear:
      'its scale depends on the data of each sample; quantise statically, with calibration data (quantize_static in onnxruntime)',
    ConvTranspose: 'transposed convolutions are not supported',
    Resize: 'resampling is not supported',
    Upsample: 'resampling is not supported',
    LayerNormalization: 'only BatchNormalization, whose statistics are fixed, is supported',
    InstanceNormalization: 'only BatchNormalization, whose statistics are fixed, is supported',
    GroupNormalization: 'only BatchNormalization, whose statistics are fixed, is supported',
    LRN: 'only BatchNormalization, whose statistics are fixed, is supported',
    If: 'graphs with control flow are not supported; export a static network',
    Loop: 'graphs with control flow are not supported; export a static network',
    Scan: 'graphs with control flow are not supported; export a static network',
    ArgMax: 'end the network with its logits; predictions are taken from them',
  }),
);
