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
    NonMaxSuppression: 'end the network with what it finds before it: --output NAME',
    Einsum: 'write it as MatMul by a constant',
  }),
);
