import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

/** A busy machine is no error. */
export const patience = 240_000;

/** Whether there is a browser; says what isn't tested where there is none. */
export function hasChromium(what: string): boolean {
  if (chromium === undefined) console.warn(`SKIPPED: ${what}, because chromium is not installed`);
  return chromium !== undefined;
}

/** `webgpu`: with an adapter for WebGPU that is computed in software (SwiftShader). */
export async function launchChromium({ webgpu = false } = {}): Promise<Browser> {
  const { chromium: launcher } = await import('playwright-core');
  const flags =
    '--headless --no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
  const gpu = webgpu ? ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'] : ['--disable-gpu'];
  return launcher.launch({ executablePath: chromium!, args: [...flags.split(' '), ...gpu], timeout: patience });
}
