import { expect, it } from 'vitest';
import { isSpan } from '../../src/base/source.js';
import { checkModel } from '../../src/model/index.js';
import { testLoader } from '../support/spike.js';

function found(text: string) {
  return checkModel({ name: 'm.spike', text }, testLoader()).diagnostics;
}

function helps(text: string): (string | undefined)[] {
  return found(text).map(({ help }) => help);
}

const net = 'network N { input x: real[1, 8, 8] output x | flatten | linear(4) | spike }';

it('a forgotten use is answered with the line to add', () => {
  const use = (file: string, name: string): string =>
    `\`${name}\` is in "spikec/${file}": add \`use "spikec/${file}" { ${name} }\``;
  expect(helps(`${net} config a { network N neuron LIF(tau: 2) coding direct(steps: 2) }`)).toEqual([
    use('neurons', 'LIF'),
  ]);
  expect(helps(`${net} config a { network N neuron MBLIF coding direct(steps: 2) }`)).toEqual([
    use('neurons', 'MBLIF'),
  ]);
  expect(helps('network M { input x: real[1, 8, 8] output x | spike(PLIF) }')).toEqual([use('neurons', 'PLIF')]);
  expect(helps('network M { input x: real[1, 8, 8] output x | SewBlock(4) }')).toEqual([use('blocks', 'SewBlock')]);
  expect(helps(`${net} config b { network N neuron Leaky coding direct(steps: 2) }`)).toEqual([
    'what others call Leaky is `LIF` of "spikec/neurons": add `use "spikec/neurons" { LIF }`',
  ]);
});

it('a value that depends on itself is said to need a delay, with both places', () => {
  const text = `network Rec { input x: real[1, 1, 40]
    f = x | flatten
    h = (f | linear(16)) + (h | linear(16)) | relu
    output h }`;
  const [one, ...more] = found(text);
  expect(more).toEqual([]);
  expect(one!.help).toContain('| delay(1) |');
  const [related] = one!.related!;
  expect(isSpan(related!.place) && related!.place.start).toBe(text.indexOf('h = '));
  // through another line
  expect(helps('network R { input x: real[4] a = x + b b = a | linear(4) output b }')[0]).toContain('| delay(1) |');
  // what only stands too low can be moved
  expect(helps('network R { input x: real[4] a = x + b b = x | linear(4) output a }')).toEqual([
    '`b` is bound below; move that line up',
  ]);
});

it('layers by the names of other tools, and layers that there aren’t, are answered with the layers', () => {
  const of = (layer: string): string => helps(`network M { input x: real[1, 8, 8] output x | ${layer} }`)[0]!;
  for (const [theirs, ours] of [
    ['dense(3)', 'linear'],
    ['fc(3)', 'linear'],
    ['bn', 'batchnorm'],
    ['conv2d(3)', 'conv'],
    ['dropout1d', 'dropout'],
    ['MaxPool2d(2)', 'maxpool'],
    ['cat', 'concat'],
    ['gap', 'global_avgpool'],
  ] as const) {
    expect(of(theirs)).toMatch(new RegExp(`\\b${ours}\\b`));
  }
  expect(of('fourier(x)')).toContain('the layers are conv, linear, ');
  expect(of('wavelet(2)')).toContain('the layers are conv, linear, ');
  expect(of('clip')).toContain('`clip` is a function of neurons’ equations');
});

it('equations and numbers as other simulators write them get a hint', () => {
  const of = (body: string, params = ''): (string | undefined)[] => helps(`neuron N${params} { ${body} }`);
  expect(of('dv/dt = (x - v) / tau : volt fire s = v > 1')[0]).toContain('`charge v = v + (E - v) / tau`');
  expect(of('state v = -65mV charge v = v + x fire s = v > 1')[0]).toContain('numbers have no units');
  expect(of('state v = 0 charge v = v + x fire s = v > 1', '(tau = 10ms)')[0]).toContain('numbers have no units');
  expect(of('state v = 0 charge v += x fire s = v > 1')[0]).toBe('write it out: `v = v + …`');
  expect(of('state v = 0 charge v = v > 1 ? 0 : x fire s = v > 1')[0]).toBe('write `where(condition, a, b)`');
  expect(of('state v = 0 charge v = v ** 2 fire s = v > 1')[0]).toBe('powers are written `a ^ b`');
});

it('a time constant in seconds is answered in steps', () => {
  const use = 'use "spikec/neurons" { LIF }';
  const [help] = helps(`${use} ${net} config a { network N neuron LIF(tau: 0.02) coding direct(steps: 2) }`);
  expect(help).toBe('time constants count time steps: 0.02 s at steps of 1 ms is `tau: 20`');
});

it('a reset at every step is warned of; one that depends on the output or the membrane isn’t', () => {
  const codes = (reset: string): string[] =>
    found(
      `neuron N(theta = 1) { state v = 0 charge v = v + x fire s = v >= theta reset v = ${reset} surrogate atan }`,
    ).map(({ code, severity }) => `${severity} ${code}`);
  expect(codes('0')).toEqual(['warning model/unconditional-reset']);
  expect(codes('theta - 1')).toEqual(['warning model/unconditional-reset']);
  for (const fine of ['where(s, 0, v)', 'v - s * theta', '-s * theta + v', 'v * (1 - s)', 'x'])
    expect(codes(fine)).toEqual([]);
});

it('an error inside a library block also names the user’s line', () => {
  const text = `use "spikec/blocks" { SewBlock }
    block Stage(n: int) { input x output x | SewBlock(n) }
    network M { input x: real[4] output x | Stage(4) | flatten }`;
  const [one] = found(text);
  const places = one!.related!.map(({ place }) => (isSpan(place) ? `${place.source.name}:${place.start}` : ''));
  expect(places.at(-2)).toBe(`m.spike:${text.indexOf('SewBlock(n)')}`);
  expect(places.at(-1)).toBe(`m.spike:${text.indexOf('Stage(4)')}`);
});

it('names that JavaScript has are names like others, but for one that it owns', () => {
  const text = `neuron constructor(toString = 1) { state hasOwnProperty = 0
      charge hasOwnProperty = hasOwnProperty / 2 + x
      fire s = hasOwnProperty >= toString
      reset hasOwnProperty = where(s, 0, hasOwnProperty) }
    block toString(constructor: int) { input valueOf output valueOf | conv(constructor) | spike }
    network isPrototypeOf { input hasOwnProperty: real[1, 6, 6]
      constructor = hasOwnProperty | toString(2)
      output constructor | flatten | linear(3) }
    config valueOf { network isPrototypeOf neuron constructor(toString: 2) coding direct(steps: 2) }`;
  expect(found(text)).toEqual([]);
  expect(found(text.replaceAll('valueOf', '__proto__')).map(({ code }) => code)).toContain('syntax/unexpected');
  for (const name of ['toString', 'constructor', '__defineGetter__']) {
    expect(helps(`network M { input x: real[1, 8, 8] output x | ${name}(3) }`)).toHaveLength(1);
  }
});
