/** Does `work` in a folder, as who stands there, and comes back: the files that run behind this one in the same process see nothing of it. */
export async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const before = process.cwd();
  process.chdir(folder);
  try {
    return await work();
  } finally {
    process.chdir(before);
  }
}
