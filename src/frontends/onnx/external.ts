/** Why a tensor's external location may not be opened, or undefined when it stays inside the model's folder. */
export function checkExternalLocation(location: string): string | undefined {
  if (location === '') return 'it is empty';
  if (location.includes('\0')) return 'it contains a NUL character';
  if (/^[/\\]/.test(location)) return 'it is an absolute path';
  if (/^[A-Za-z]:/.test(location)) return 'it names a drive';
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(location)) return 'it is a URL';
  const parts = location.split(/[/\\]/);
  if (parts.includes('..')) return 'it leaves the folder with ".."';
  return undefined;
}
