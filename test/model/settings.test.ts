import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { withTables } from '../../docs/language-tables.js';
import { defaultHardware } from '../../src/cost/index.js';
import { checkModel, memoryLoader } from '../../src/model/index.js';
import { hardwareSettings, trainSettings } from '../../src/model/settings.js';

const network = 'network N { input x: real[2]\n output x | linear(2) }';

function check(configs: string) {
  return checkModel({ name: 'm.spike', text: `${network}\n${configs}` }, memoryLoader({}));
}

function helpOf(configs: string): string | undefined {
  const { diagnostics } = check(configs);
  expect(diagnostics.map(({ code }) => code)).toEqual(['model/unknown-name']);
  return diagnostics[0]!.help;
}

const all = trainSettings.map(({ name }) => name).join(', ');

it('an unknown setting is answered with the likeliest one and all that there are', () => {
  expect(helpOf('config a { network N train { epoch 3 } }')).toBe(`did you mean "epochs"? \`train\` has: ${all}`);
  expect(helpOf('config a { network N train { zzzzz 3 } }')).toBe(`\`train\` has: ${all}`);
  expect(helpOf('config a { network N hardware { e_mak 3 } }')).toBe(
    'did you mean "e_mac"? `hardware` has: e_mac, e_ac, e_read, e_write',
  );
  expect(helpOf('config a { network N coding direct(steps: 2) { layer "output.linear" { silent 1 } } }')).toBe(
    '`layer "output.linear"` has: range, ranges',
  );
});

it('a setting that stands elsewhere, and an argument that is none, are answered with their place', () => {
  const config = '`config` has: network, neuron, coding, bits, train, hardware, normalize';
  expect(helpOf('config a { network N epochs 3 }')).toBe(`\`epochs\` stands in \`train { … }\`; ${config}`);
  expect(helpOf('config a { network N readout max }')).toContain('`x | readout(…)`');
  expect(helpOf('config a { network N train { lr 0.1 } }')).toBe(
    `\`lr\` is an argument: \`optimizer sgd(lr: …)\`; \`train\` has: ${all}`,
  );
});

it('settings that no config of a chain writes have their defaults, and those that one writes are as written', () => {
  const { value } = check(`
    config a { network N train { data mnist  batch 7  early_stop patience(epochs: 3) } }
    config b extends a { train { optimizer sgd(lr: 0.5)  augment [crop] } }`);
  const { place: _, ...train } = value!.configs.get('b')!.train!;
  expect(train.settings).toMatchObject({
    data: 'mnist',
    batch: 7,
    epochs: 10,
    seed: 1,
    validation: 0,
    batchnorm: 'plain',
    early_stop: { name: 'patience', args: { epochs: 3 } },
    optimizer: { name: 'sgd', args: { lr: 0.5, momentum: 0, nesterov: false, weight_decay: 0 } },
    augment: [{ name: 'crop', args: { padding: 4 } }],
  });
  expect(train.settings.loss).toBeUndefined();
});

it('the tables of docs/language.md are those of the compiler (npm run docs)', () => {
  const page = readFileSync(new URL('../../docs/language.md', import.meta.url), 'utf8');
  expect(page).toBe(withTables(page));
});

it('the energies that hold where a config says none are those that the language reference names', () => {
  const said = hardwareSettings.flatMap((one) => ('otherwise' in one ? [[one.name, Number(one.otherwise)]] : []));
  expect(Object.fromEntries(said)).toEqual(defaultHardware);
});
