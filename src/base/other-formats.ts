const signatures: readonly (readonly [string, string])[] = [
  [
    'version https://git-lfs',
    'it is the pointer that Git LFS leaves in a file’s place (`git lfs pull` fetches the file)',
  ],
  ['PK\x03\x04', 'it is a ZIP archive, as PyTorch saves checkpoints'],
];

/** Bytes from which {@link otherFormat} tells a file. */
export const signatureLength = 24;

/** What stands where a file of another format is wanted, by how it begins; undefined where that isn't known. */
export function otherFormat(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, signatureLength));
  return signatures.find(([signature]) => head.startsWith(signature))?.[1];
}
