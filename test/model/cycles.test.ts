import { describe, expect, it } from 'vitest';
import { checkModel } from '../../src/model/index.js';
import { expectDiagnostics, testLoader } from '../support/spike.js';
import { configFrom, networkFrom } from '../support/train.js';
import { configProblems } from '../../src/lower/model-to-network/index.js';

/** The layers of a network: id, what it reads, shape. */
function layersOf(body: string, declarations = ''): readonly string[] {
  const text = `use "spikec/neurons" { LIF } ${declarations} network N { ${body} } config n { network N neuron LIF coding direct(steps: 4) }`;
  const { value, diagnostics } = checkModel({ name: 'model.spike', text }, testLoader());
  expect(diagnostics).toEqual([]);
  return value!.networks
    .get('N')!
    .layers.map(({ id, inputs, shape }) => `${id}(${inputs.join(', ')})[${shape.join()}]`);
}

describe('a connection back', () => {
  it('reads what a line binds, this one or one below, one step before', () => {
    expect(layersOf('input x: real[4] h = (x | linear(3)) + (h | delay(1) | linear(3)) | spike output h')).toEqual([
      'x()[4]',
      'h.linear(x)[3]',
      'h.delay(h.spike)[3]',
      'h.linear_2(h.delay)[3]',
      'h.add(h.linear, h.linear_2)[3]',
      'h.spike(h.add)[3]',
    ]);
    expect(
      layersOf('input x: real[4] a = x + (delay(b, 2) | linear(4)) | spike b = a | linear(7) | spike output b'),
    ).toContain('a.delay(b.spike)[7]');
  });

  it('may be of any shape that follows from the rest of the cycle', () => {
    const image = layersOf('input x: real[2, 8, 8] h = (x | conv(3)) + (h | delay(1) | conv(3)) | spike output h');
    expect(image).toContain('h.delay(h.spike)[3,8,8]');
    expect(
      layersOf('input x: real[4] h = (h | delay(1) | linear(6)) * 0.5 + (x | linear(6)) | spike output h'),
    ).toContain('h.delay(h.spike)[6]');
  });

  it('stands in blocks, which keep their cycles apart, and in gates made of several', () => {
    const block = `block R(n: int) { input x h = (x | linear(n)) + (h | delay(1) | linear(n)) | spike output h }`;
    const twice = layersOf('input x: real[4] output x | R(3) | R(2)', block);
    expect(twice).toContain('output.0.h.delay(output.0.h.spike)[3]');
    expect(twice).toContain('output.1.h.delay(output.1.h.spike)[2]');
    const gated = `block G(n: int) {
      input x
      z = (x | linear(n)) + (h | delay(1) | linear(n)) | sigmoid
      m = z * (x | linear(n)) + (1 - z) * (m | delay(1))
      h = m | spike
      output h
    }`;
    const gate = layersOf('input x: real[4] output x | G(5)', gated);
    expect(gate).toContain('output.0.z.delay(output.0.h.spike)[5]');
    expect(gate.filter((layer) => layer.includes('delay(')).length).toBe(2);
  });

  it('leaves the ids of layers as they are without it', () => {
    const plain = layersOf('input x: real[4] h = (x | linear(3)) + (x | linear(3)) | spike output h | linear(2)');
    const back = layersOf(
      'input x: real[4] h = (x | linear(3)) + (h | delay(1) | linear(3)) | spike output h | linear(2)',
    );
    const ids = (layers: readonly string[]) => layers.map((layer) => layer.split('(')[0]);
    expect(ids(back).filter((id) => id !== 'h.delay')).toEqual(ids(plain));
  });

  it('passes a delay first, and its shape follows from the rest', () => {
    const found = expectDiagnostics(`
      network A {
        input x: real[4]
        h = (x | linear(3)) + (h | linear(3)) | spike // error: model/unknown-name
        output h
      }
      network B {
        input x: real[4]
        h = (h | delay(1)) | spike // error: model/cycle-shape
        output h + (x | linear(3))
      }
      network C {
        input x: real[4]
        h = (x | linear(3)) + (h | delay(1) | linear(5)) | spike // error: model/shape-mismatch
        output h
      }
      network D {
        input x: real[4]
        h = (x | linaer(3)) + (h | delay(1) | linear(3)) | spike // error: model/unknown-name
        output h
      }
      network E {
        input x: real[4]
        h = (x | linear(3)) + (h | delay(0) | linear(3)) | spike // error: model/argument-type
        output h
      }
      network F {
        input x: real[4]
        h = x + (g | delay(1)) | spike // error: model/shape-mismatch
        g = h | linear(7) | spike
        output g
      }`);
    expect(found[0]!.help).toContain('write `h | delay(1) | …`');
  });

  it('ends where blocks nest and repeat without end', () => {
    const nested = Array.from({ length: 12 }, (_, i) => {
      const inner = i === 0 ? 'linear(2)' : `B${i - 1} | B${i - 1}`;
      return `block B${i} { input x h = (x | ${inner}) + (h | delay(1) | linear(2)) | spike output h }`;
    });
    const text = `use "spikec/neurons" { LIF } ${nested.join('\n')} network N { input x: real[2] output x | B11 }`;
    const { diagnostics } = checkModel({ name: 'model.spike', text }, testLoader());
    expect(diagnostics.map(({ code }) => code)).toEqual(['model/too-big']);
  });
});

describe('a config of a recurrent network', () => {
  const problemsOf = (config: string, body = 'h = (x | linear(3)) + (h | delay(2) | linear(3)) | spike') =>
    configProblems(
      configFrom(
        `use "spikec/neurons" { LIF, Refined } network N { input x: real[4] ${body} output h } config n { network N ${config} }`,
      ),
    ).map(({ message }) => message);

  it('has time, more steps than its delays, no squeezed trains, and norms outside of cycles', () => {
    expect(problemsOf('neuron LIF coding direct(steps: 4)')).toEqual([]);
    expect(problemsOf('neuron LIF coding direct(steps: 2)')).toEqual([expect.stringContaining('gives zeros only')]);
    expect(problemsOf('neuron LIF')).toContain('`delay` in a network without time steps');
    expect(problemsOf('neuron Refined coding direct(steps: 4) bits { weights 2 spikes 2 steps 2 }')).toContainEqual(
      expect.stringContaining('squeezed trains'),
    );
    const normed = 'h = (x | linear(3)) + (h | delay(1) | linear(3) | batchnorm) | spike';
    expect(problemsOf('neuron LIF coding direct(steps: 4)', normed)).toEqual([
      expect.stringContaining('`batchnorm` in a cycle'),
    ]);
    const outside = 'h = (x | linear(3) | batchnorm) + (h | delay(1) | linear(3)) | spike';
    expect(problemsOf('neuron LIF coding direct(steps: 4)', outside)).toEqual([]);
    const kept = networkFrom(
      `use "spikec/neurons" { LIF } network N { input x: real[4] ${outside} output h } config n { network N neuron LIF coding direct(steps: 4) }`,
    );
    expect(kept.ops.map(({ kind }) => kind)).toContain('lag');
  });
});
