/** Data sets that have a name, as `data mnist` and `--data mnist:test` call them. */
export const dataSets: Readonly<Record<string, string>> = {
  mnist: 'handwritten digits, 28×28',
  fashion: 'Fashion-MNIST: clothes, 28×28',
  cifar10: 'photographs of ten kinds, 3×32×32',
  cifar100: 'photographs of a hundred kinds, 3×32×32',
  svhn: 'Street View House Numbers: digits of house numbers, 3×32×32',
  nmnist: 'N-MNIST: digits before an event camera, 2×34×34',
  ncaltech101: 'N-Caltech101: photographs before an event camera',
  dvs128gesture: 'DVS128 Gesture: gestures before an event camera, 2×128×128',
  cifar10dvs: 'CIFAR10-DVS: CIFAR-10 before an event camera, 2×128×128',
  shd: 'Spiking Heidelberg Digits: spoken digits as spikes of 700 channels',
  ssc: 'Spiking Speech Commands: spoken words as spikes of 700 channels',
};

/** Files and folders as data: how they are written behind `--data`, and what they are. */
export const fileForms: Readonly<Record<string, string>> = {
  'idx:IMAGES,LABELS': 'two IDX files, as MNIST comes',
  'npz:FILE': 'arrays of NumPy',
  'hdf5:FILE': 'arrays in HDF5',
  'images:FOLDER': 'PNG and JPEG in folders, one a class',
  'csv:PATH': 'tables and time series',
  'wav:FOLDER': 'recordings of sound',
  'events:PATH': 'recordings of event cameras',
  'coco:FOLDER,ANNOTATIONS.json': 'images and boxes in COCO’s format',
};
