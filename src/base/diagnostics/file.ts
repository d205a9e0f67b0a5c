import { define } from './define.js';

export const fileDiagnostics = {
  'file/missing': define<{ path: string }>(
    'error',
    ({ path }) => `there is no file "${path}"`,
    `A file that was named on the command line, in a model file, or inside an ONNX file isn't there.

Relative paths on the command line start at the current folder; paths in \`use\` and \`onnx(...)\` start at the folder of the
model file that contains them; external data of an ONNX file starts at the ONNX file's folder.`,
  ),
  'file/is-directory': define<{ path: string }>(
    'error',
    ({ path }) => `"${path}" is a folder, not a file`,
    `A file was expected and the path leads to a folder. Name the file inside it.`,
  ),
  'file/not-a-file': define<{ path: string }>(
    'error',
    ({ path }) => `"${path}" is not a regular file`,
    `The path leads to a device, a socket or a pipe. spikec reads files whose size it knows before it reads them; save the
content to a file first.`,
  ),
  'file/no-permission': define<{ path: string; access: 'read' | 'write' }>(
    'error',
    ({ path, access }) => `no permission to ${access} "${path}"`,
    `The operating system refused access. Look at the owner and the mode of the file and of the folders above it.`,
  ),
  'file/too-large': define<{ path: string; size: number; limit: number }>(
    'error',
    ({ path, size, limit }) => `"${path}" has ${size} bytes; at most ${limit} are read`,
    `Every kind of file has an upper limit, so that a wrong file name can't exhaust the memory. If the file really is what it
should be, split it (a model file: with \`use\`; a data set: into several files).`,
  ),
  'file/not-text': define<{ path: string }>(
    'error',
    ({ path }) => `"${path}" is not UTF-8 text`,
    `Model files are UTF-8 text. The file contains bytes that are not: it may be a binary file, or saved in another encoding.`,
  ),
  'file/read-failed': define<{ path: string; reason: string }>(
    'error',
    ({ path, reason }) => `"${path}" can't be read: ${reason}`,
    `The operating system reported an error while reading, other than a missing file or missing permission: a damaged disk, a
network folder that went away, too many open files.`,
  ),
  'file/package-missing': define<{ what: string; name: string }>(
    'error',
    ({ what, name }) => `${what} are drawn by the package "${name}", which isn’t installed`,
    'Packages that only one kind of output needs are installed only where they are wanted, beside spikec: `npm install @resvg/resvg-js` for pictures as PNG. SVG pictures need none.',
  ),
  'file/exists': define<{ path: string }>(
    'error',
    ({ path }) => `there is a file "${path}" already`,
    `What is written here is new, and nothing that is there is ever overwritten. Choose another name, or move the file away.`,
  ),
  'file/would-replace': define<{ path: string; more: number; command: string }>(
    'error',
    ({ path, more, command }) =>
      `"${path}"${more === 0 ? '' : ` and ${more} more file${more === 1 ? '' : 's'} there`} would be lost: \`spikec ${command}\` replaces only what it wrote itself`,
    `A command replaces only files that it wrote itself and nobody changed since. For the folders of \`compile\`, \`convert\`,
\`allocate\` and \`train\`, \`manifest.json\` records the command and the hash of each file; pages, pictures, tables and
differences (\`report\`, \`picture\`, \`cost -o\`, \`diff -o\`) are known by their form. A trained network, a model file of your own,
a generated one that you edited, and what the command itself reads stay as they are. Name another place with \`-o\`, or move or
delete what is there.`,
  ),
  'file/name-taken': define<{ name: string }>(
    'error',
    ({ name }) => `"${name}" has the name of a file that is written beside it`,
    `A conversion keeps a copy of the ONNX file and of its external data beside what it makes: the model file,
\`manifest.json\`, \`network.ir\`, \`network.json\`, \`weights.safetensors\`, \`infer.onnx\`. One of them would replace the other.
Rename the file; external data gets its name where the ONNX file is saved.`,
  ),
  'file/in-use': define<{ path: string; process: string }>(
    'error',
    ({ path, process }) => `another process writes "${path}" (process ${process})`,
    `A folder is written by one command at a time, and by one training for as long as it runs. The file \`.spikec-….lock\` in the
folder names the machine and the process that holds it; it goes when the process ends, and is ignored where the process
was killed. Only of a process on another machine can't be known whether it still runs: delete the file if it doesn't.`,
  ),
  'file/bad-journal': define<{ path: string }>(
    'error',
    ({ path }) => `"${path}" isn't what spikec writes`,
    `While a command writes several files of a folder, the journal says which new contents take which places, so that a write
that was interrupted can be finished by the next command. This one comes from something else or was damaged. Delete it;
files that end in \`.spikec.tmp\` hold new contents that haven't taken their places. Then run the command again that wrote
the folder.`,
  ),
  'file/write-failed': define<{ path: string; reason: string }>(
    'error',
    ({ path, reason }) => `"${path}" can't be written: ${reason}`,
    `The operating system reported an error while writing, most often a full disk or a folder that doesn't exist. Files are
written beside their final place and renamed at the end, so what stood there before is unharmed.`,
  ),
} as const;
