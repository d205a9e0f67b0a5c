import { type Hardware, defaultHardware } from '../cost/index.js';

/** Energies that a config's `hardware { … }` says, the defaults for the others. */
export function hardwareOf(settings: Readonly<Record<string, unknown>> | undefined): Hardware {
  const said = (name: keyof Hardware): number => {
    const value = settings?.[name];
    return typeof value === 'number' ? value : defaultHardware[name];
  };
  return { e_mac: said('e_mac'), e_ac: said('e_ac') };
}
