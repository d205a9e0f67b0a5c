import type { Download } from './messages.js';

export interface DownloadForm {
  readonly kind: Download;
  readonly label: string;
  /** Of the file's name. */
  readonly ending: string;
}

/** The forms in which a network is taken out of the page. */
export const downloadForms: readonly DownloadForm[] = [
  { kind: 'onnx', label: 'ONNX', ending: '.onnx' },
  { kind: 'tfjs', label: 'TensorFlow.js module', ending: '.mjs' },
  { kind: 'torch', label: 'PyTorch', ending: '-torch.zip' },
  { kind: 'nir', label: 'NIR', ending: '.nir' },
  { kind: 'c', label: 'C', ending: '-c.zip' },
];
