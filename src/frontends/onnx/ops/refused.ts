/** Operators people meet in the wild that are not imported, and what to do instead. */
export const refusals: ReadonlyMap<string, string> = new Map(
  Object.entries({
    LSTM: 'recurrent layers of ANNs have no spiking form here; write a network of neurons with `delay(1)` and train it',
    GRU: 'recurrent layers of ANNs have no spiking form here; write a network of neurons with `delay(1)` and train it',
    RNN: 'recurrent layers of ANNs have no spiking form here; write a network of neurons with `delay(1)` and train it',
    DynamicQuantizeLSTM:
      'recurrent layers of ANNs have no spiking form here; write a network of neurons with `delay(1)` and train it',
    LpNormalization: 'norms of each input aren’t imported; LayerNormalization and RMSNormalization are',
    If: 'graphs with control flow are not supported; export a static network',
    Loop: 'graphs with control flow are not supported; export a static network',
    Scan: 'graphs with control flow are not supported; export a static network',
    NonZero: 'places that are computed have no layer here',
    ...each(
      ['GatherND', 'GatherElements', 'ScatterND', 'ScatterElements', 'Scatter', 'Compress', 'OneHot'],
      'places that are computed have no layer here; Slice, Split and Gather of constant places do',
    ),
    ...each(
      ['GridSample', 'AffineGrid', 'RoiAlign', 'MaxRoiPool', 'DeformConv'],
      'what is read at computed places has no layer here; take an output before it (--output NAME)',
    ),
    ...each(
      ['Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan', 'Sinh', 'Cosh', 'Asinh', 'Acosh', 'Atanh', 'Shrink', 'Mod'],
      'a function of one value that isn’t among those imported; of constants export it folded (onnxsim)',
    ),
    ...each(
      ['Attention', 'MultiHeadAttention', 'GroupQueryAttention', 'QAttention', 'RotaryEmbedding', 'LinearAttention'],
      'export attention as MatMul, Softmax and MatMul: with an opset below 23, or without onnxruntime’s transformer fusions',
    ),
    EmbedLayerNormalization:
      'export embeddings as Gather and LayerNormalization, without onnxruntime’s transformer fusions',
    ...each(
      ['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Bernoulli', 'Multinomial'],
      'random values can’t be compared with the file; export the network for inference',
    ),
    IntegerDiv:
      'a quotient of two activations without its fraction has no layer here; RequantShift and TrueIntegerDiv divide by constants',
    Im2Col: 'its patches are read by products with constant weights; others have no layer here',
    ...each(
      ['StreamingDataflowPartition', 'GenericPartition'],
      'its layers lie in a file of their own, which its attribute "model" names: convert that one',
    ),
    ...each(
      ['MVAU', 'VVAU', 'Thresholding', 'FMPadding', 'StreamingMaxPool', 'Pool', 'QuantAvgPool2d', 'XnorPopcountMatMul'],
      'FINN’s layer is known with other attributes and operands: docs/onnx-import.md says with which',
    ),
    NonMaxSuppression: 'end the network with what it finds before it: --output NAME',
  }),
);

function each(names: readonly string[], help: string): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, help]));
}
