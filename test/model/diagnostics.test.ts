import { describe, expect, it } from 'vitest';
import { isSpan } from '../../src/base/source.js';
import { processorTime } from '../support/processor-time.js';
import { expectDiagnostics, testLoader } from '../support/spike.js';
import { checkModel } from '../../src/model/index.js';

/** A network that is right, for tests of configs. */
const net = 'network Net { input x: real[1, 8, 8]  output x | conv(4) | spike | flatten | linear(10) }';

describe('names', () => {
  it('are known or reported, with the likeliest one', () => {
    const found = expectDiagnostics(`
      block Double(channels: int) {
        input x
        output x | convv(channels) | conv(chanels) // error: model/unknown-name, model/unknown-name
      }
      network Net {
        input x: real[1, 8, 8]
        early = add(x, later) // error: model/unknown-name
        later = early | Doubel(3) // error: model/unknown-name
        output later + fff // error: model/unknown-name
      }`);
    expect(found.map((one) => one.help)).toEqual([
      'did you mean "conv"?',
      'did you mean "channels"?',
      expect.stringContaining('write `later | delay(1) | …`'),
      'did you mean "Double"?',
      'there are: Double, Net, early, later, x',
    ]);
  });

  it('are declared once in a file and once in a graph', () => {
    const [first] = expectDiagnostics(`
      block A { input x output x | relu }
      neuron A { state u = 0 charge u = x fire s = u > 0 } // error: model/duplicate-name
      block B(a: int, a: int) { // error: model/duplicate-name
        input x
        y = x | conv(a)
        y = y | relu // error: model/duplicate-name
        output y
      }`);
    expect(first!.related).toMatchObject([{ message: 'first declared here' }]);
  });

  it('of another kind than is needed are reported as such', () => {
    expectDiagnostics(`
      ${net}
      block B { input x output x | relu }
      neuron M { state u = 0 charge u = u + x fire s = u > 0 }
      network Other {
        input x: real[1, 8, 8]
        output x | M | Net // error: model/wrong-kind, model/wrong-kind
      }
      config a { network M } // error: model/wrong-kind
      config b { network Net neuron B } // error: model/argument-type
      config c extends B { network Net neuron M } // error: model/wrong-kind
      config d { network B } // error: model/wrong-kind
    `);
  });
});

describe('use', () => {
  const blocks = 'block Twice(n: int) { input x output x | conv(n) | conv(n) }';

  it('takes names from files in the folder and from the library', () => {
    expectDiagnostics(
      `use "./lib/blocks.spike" { Twice as Pair }
       use "spikec/neurons" { LIF }
       network Net { input x: real[1, 8, 8]  output x | Pair(4) | spike(LIF(tau: 3)) }
       config a { network Net }`,
      { 'lib/blocks.spike': blocks },
    );
  });

  it('refuses paths outside the folder, unless that is allowed', () => {
    const text = (mark: string): string => `use "../blocks.spike" { Twice }${mark}
      use "/etc/passwd" { root }${mark}
      use "sub/../../x.spike" { X }${mark}
      use "..\\\\blocks.spike" { Y }${mark}
      use "C:/x.spike" { Z }${mark}`;
    expectDiagnostics(text(' // error: model/outside-folder'));
    const allowed = { '../blocks.spike': blocks };
    expectDiagnostics('use "../blocks.spike" { Twice }', allowed, { allowOutside: true });
  });

  it('never asks the loader for a file outside the folder', () => {
    const asked: string[] = [];
    const loader = { read: (path: string) => (asked.push(path), undefined), library: () => undefined };
    const text = 'use "../a.spike" { A } use "./b/../../c.spike" { C } use "/d.spike" { D } use "./in.spike" { E }';
    checkModel({ name: 'models/deep/main.spike', text }, loader);
    expect(asked).toEqual(['models/deep/in.spike']);
  });

  it('reports files and names that are not there, once', () => {
    const found = expectDiagnostics(
      `use "./missing.spike" { A, B } // error: model/file-not-found
       use "spikec/neuron" { LIF } // error: model/file-not-found
       use "./blocks.spike" { Twise } // error: model/not-exported
       network Net { input x: real[1, 8, 8]  output x | A(4) | Twise(3) | spike(LIF) }`,
      { 'blocks.spike': blocks },
    );
    expect(found.map((one) => one.help)).toContain('did you mean "Twice"?');
  });

  it('reports the errors of used files at their places', () => {
    const main = { name: 'model.spike', text: 'use "./bad.spike" { A }\nuse "./broken.spike" { B }' };
    const files = { 'bad.spike': 'block A { input x output y }', 'broken.spike': 'block {' };
    const { diagnostics } = checkModel(main, testLoader(files));
    const places = diagnostics.map(({ code, place }) => `${isSpan(place!) ? place.source.name : ''} ${code}`);
    expect(places).toEqual(expect.arrayContaining(['bad.spike model/unknown-name', 'broken.spike syntax/unclosed']));
  });

  it('allows files that use each other', () => {
    expectDiagnostics('use "./b.spike" { B } block A { input x output x | B } block C { input x output x | relu }', {
      'b.spike': 'use "./model.spike" { C } block B { input x output x | C }',
    });
  });

  it('warns where a declaration hides an import and refuses two imports of one name', () => {
    expectDiagnostics(`use "spikec/neurons" { LIF, IF }
      use "spikec/neurons" { PLIF as IF } // error: model/duplicate-name
      neuron LIF(tau = 2) { // warning: model/shadowed-import
        state u = 0
        charge u = u / tau + x
        fire s = u > 1
      }`);
  });
});

describe('arguments', () => {
  it('go to parameters by position, then by name', () => {
    expectDiagnostics(`network Net {
      input x: real[4, 8, 8]
      a = x | conv(4, 3, 1) | conv(kernel: 3, channels: 4)
      b = a | conv(4, kernal: 3) // error: model/argument-unknown
      c = a | conv(kernel: 3) // error: model/argument-missing
      d = a | conv(4, channels: 3) // error: model/argument-twice
      e = a | conv(channels: 4, 3) // error: model/argument-extra
      f = a | relu(1) // error: model/argument-extra
      output a | add(b) | add(c) | add(d) | add(e) | add(f)
    }`);
  });

  it('have the type and range of their parameter', () => {
    const found =
      expectDiagnostics(`block B(n: int, f: block, on: bool = true) { input x output x | f(where(on, n, 1)) }
    block C(n: int) { input x output x | conv(n) }
    network Net(list: int[2] = [3, 3]) {
      input x: real[4, 8, 8]
      a = x | conv(0) // error: model/argument-type
      b = x | conv(1.5) // error: model/argument-type
      c = x | conv("4") // error: model/argument-type
      d = x | conv(4, kernel: [1, 2, 3]) // error: model/argument-type
      e = x | conv(4, pad: sme) // error: model/argument-type
      f = x | dropout(1) // error: model/argument-type
      g = x | B(4, 5) // error: model/argument-type
      h = x | B(4, C, on: 1) // error: model/argument-type
      i = x | conv(4, kernel: list, bias: 1) // error: model/argument-type
      j = x | spike(C) // error: model/argument-type
      output a + b + c + d + e + f + g + h + i + j
    }`);
    expect(found[0]!.message).toBe('`channels` of `conv` must be an integer between 1 and 65536, not 0');
    expect(found[4]).toMatchObject({ help: 'did you mean "same"?' });
  });

  it('of unknown types are refused', () => {
    expectDiagnostics(`block B(n: integer) { input x output x | conv(n) } // error: model/argument-type
      network Net { input x: real[1, 8, 8]  output x | B(3) }`);
  });
});

describe('constants', () => {
  it('are computed, or it is said why not', () => {
    const found = expectDiagnostics(`network Net(n: int = 4, flag: bool = true) {
      input x: real[4, 8, 8]
      a = x | conv(n / 0) // error: model/arithmetic
      b = x | conv(n + flag) // error: model/arithmetic
      c = x | conv(10 ^ 400) // error: model/arithmetic
      d = x | conv(where(n, 1, 2)) // error: model/arithmetic
      e = x | conv(sqrt(0 - 1)) // error: model/arithmetic
      f = x | conv(max(1)) // error: model/arithmetic
      g = x | conv(not n) // error: model/arithmetic
      h = x | conv(1e999) // error: model/arithmetic
      i = x / x // error: model/arithmetic
      j = x | conv(n.n) // error: model/arithmetic
      ok = x | conv(max(n, 2) * 2 ^ 1 - round(0.5) + floor(1.5) + abs(-1) - where(not flag or n == 4, 2, "x"))
      output a + b + c + d + e + f + g + h + i + j + ok
    }`);
    expect(found[0]!.message).toBe('4 / 0 is a division by zero');
  });
});

describe('shapes', () => {
  it('that don’t fit are both shown, with where each comes from', () => {
    const text = `network Net {
      input x: real[3, 32, 32]
      a = x | conv(16, stride: 2)
      b = x | conv(16)
      output a + b // error: model/shape-mismatch
    }`;
    const [found] = expectDiagnostics(text);
    expect(found!.message).toBe(
      "`add` joins shapes [16, 16, 16] and [16, 32, 32], which don't fit: 16 and 32 on axis 1, 16 and 32 on axis 2",
    );
    expect(found!.help).toBe('strides and pools of the two paths must make the same of their sizes');
    const related = found!.related!.map(({ place, message }) =>
      isSpan(place) ? `${text.slice(place.start, place.end)}: ${message}` : '',
    );
    expect(related).toEqual([
      'conv(16, stride: 2): [16, 16, 16] comes from here',
      'conv(16): [16, 32, 32] comes from here',
    ]);
  });

  it('that a layer can’t work on are reported', () => {
    expectDiagnostics(`
    block Typed { input x: real[3, 8, 8] output x | relu } // error: model/shape
    network Net {
      input x: real[3, 8, 8]
      flat = x | flatten
      a = flat | conv(3) // error: model/shape
      b = x | linear(3) // error: model/shape
      c = x | conv(4, kernel: 9, pad: none) // error: model/shape
      d = x | conv(4, groups: 2) // error: model/shape
      e = x | maxpool(9) // error: model/shape
      f = flat | global_avgpool // error: model/shape
      g = concat(x, flat) // error: model/shape-mismatch
      h = x | eca(kernel: 2) // error: model/shape
      i = flat | shortcut(3) // error: model/shape
      j = flat | eca // error: model/shape
      k = x | conv(6, groups: 3) | conv(9, groups: 2) // error: model/shape
      l = mul(x, flat) // error: model/shape-mismatch
      m = flat | Typed
      output a + b + c + d + e + f + g + h + i + j + k + l + m
    }`);
  });

  it('in a block name the block', () => {
    const [found] = expectDiagnostics(`block B { input x output x | linear(3) } // error: model/shape
      network Net { input x: real[3, 8, 8] output x | B }`);
    expect(found!.related!.slice(-2).map(({ message }) => message)).toEqual(['in the block `B`', '`B` is used here']);
  });
});

describe('blocks', () => {
  it('that contain themselves are refused, used or not', () => {
    const found = expectDiagnostics(`
      block A { input x output x | A } // error: model/recursion
      block B { input x output x | C } // error: model/recursion
      block C { input x output x | D } // error: model/recursion
      block D { input x output x | B } // error: model/recursion
      block Through(f: block = Through) { input x output x | f } // error: model/recursion
      network Net { input x: real[1, 8, 8] output x | A | B | Through }`);
    expect(found[1]!.message).toBe('the block `B` contains itself: B → C → D → B');
  });

  it('that reach themselves through a parameter are refused', () => {
    expectDiagnostics(`
      block Apply(f: block) { input x output x | f(f) } // error: model/recursion
      network Net { input x: real[1, 8, 8] output x | Apply(Apply) }`);
  });

  it('stand in each other at most a hundred deep', () => {
    const row = (count: number): string =>
      Array.from({ length: count }, (_, i) => `block B${i} { input x output x | B${i + 1} }\n`).join('');
    const text = (count: number): string =>
      `${row(count)}block B${count} { input x output x | relu }\nnetwork N { input x: real[1, 2, 2] output x | B0 }`;
    const codes = (count: number): string[] =>
      checkModel({ name: 'model.spike', text: text(count) }, testLoader()).diagnostics.map((found) => found.code);
    expect(codes(99)).toEqual([]);
    expect(codes(100)).toEqual(['model/too-deep']);
  });

  it('take as many inputs as they have', () => {
    expectDiagnostics(`
      block Two { input a input b output a + b }
      network Net {
        input x: real[1, 8, 8]
        a = x | Two // error: model/inputs
        b = Two(x, x)
        c = x | Two(b)
        d = concat(x) // error: model/inputs
        e = conv(4) // error: model/inputs
        f = 3 | conv(4) // error: model/not-a-value
        output a + b + c + d + e + f
      }`);
  });
});

describe('repeat', () => {
  it('too often is refused in bounded time', () => {
    const check = () =>
      expectDiagnostics(
        `
      block Wide { input x output x | repeat(150) conv(1) }
      block Id { input x output x }
      network A { input x: real[1, 8, 8] output x | repeat(1e9) conv(1) } // error: model/too-big
      network B { input x: real[1, 8, 8] output x | repeat(150) Wide } // error: model/too-big
      network C { input x: real[1, 8, 8] output x | repeat(1e5) repeat(1e5) Id } // error: model/too-big
      network D { input x: real[1, 8, 8] output x | repeat(-1) Id } // error: model/argument-type
      network E { input x: real[1, 8, 8] output x | repeat(1.5) Id } // error: model/argument-type
    `
          .replace('repeat(150) conv(1) }', 'repeat(150) conv(1) } // error: model/too-big')
          .replace('Wide } // error: model/too-big', 'Wide }'),
      );
    expect(processorTime(check)).toBeLessThan(5000);
  });

  it('of blocks that double each time is refused in bounded time', () => {
    const blocks = Array.from({ length: 40 }, (_, i) => `block B${i + 1} { input x output x | B${i} | B${i} }`);
    const source = {
      name: 'model.spike',
      text: `block B0 { input x output x | relu }\n${blocks.join('\n')}\nnetwork N { input x: real[1, 2, 2] output x | B40 }`,
    };
    const check = () =>
      expect(checkModel(source, testLoader()).diagnostics.map(({ code }) => code)).toEqual(['model/too-big']);
    expect(processorTime(check)).toBeLessThan(5000);
  });
});

describe('networks and blocks', () => {
  it('have inputs with shapes, and one output or several with names', () => {
    expectDiagnostics(`
      network A { output 1 } // error: model/graph-form
      network B { input x: real[1, 2, 3] } // error: model/graph-form // warning: model/unused
      network C { input x output x | relu } // error: model/graph-form
      network D { input x: real[1, 2, 3] output x | relu output x | sigmoid } // error: model/graph-form // error: model/graph-form
      network E { input x: int[3] output x | relu } // error: model/graph-form
      network F { input x: real[0, 2] output x | relu } // error: model/argument-type
      block G { output 1 } // error: model/graph-form
    `);
  });

  it('with values or parameters that nothing uses get a warning', () => {
    expectDiagnostics(`network Net(n: int = 3, unused: int = 4) { // warning: model/unused-parameter
      input x: real[1, 8, 8]
      idle = x | conv(3) // warning: model/unused
      output x | conv(n)
    }`);
  });
});

describe('many diagnostics', () => {
  it('are cut off, errors and warnings apart, with a word that there are more', () => {
    const body = (count: number, end: string): string => {
      const idle = Array.from({ length: count }, (_, i) => `a${i} = x | relu\n`).join('');
      return `network N { input x: real[1, 2, 2]\n${idle} output x${end} }`;
    };
    const check = (text: string): string[] =>
      checkModel({ name: 'model.spike', text }, testLoader()).diagnostics.map((found) => found.code);
    expect(check(body(100, ''))).toEqual(new Array(100).fill('model/unused'));
    const over = check(body(101, ''));
    expect(over.length).toBe(101);
    expect(over.at(-1)).toBe('model/too-many');
    // An error behind a hundred warnings still counts.
    expect(check(body(150, ' | conv(0)'))).toContain('model/argument-type');
  });
});

describe('configs', () => {
  it('name known settings, each once, in their form', () => {
    const found = expectDiagnostics(`${net}
    neuron M { state u = 0 charge u = u + x fire s = u > 0 }
    config a {
      network Net
      neuron M
      codin direct(steps: 4) // error: model/unknown-name
      network Net // error: model/setting-twice
      train 5 // error: model/setting-form
      bits { weights 4 weight 5 } // error: model/unknown-name
      hardware { e_mac -1 } // error: model/argument-type
    }
    config b { neuron { } network Net } // error: model/setting-form
    config c { network Net { } neuron M } // error: model/setting-form
    config d { network Net neuron M bits { layer 3 { } } } // error: model/setting-form
    config e { network Net neuron M bits { layer "x" } } // error: model/setting-form
    config f { network Net neuron M train { batch { } } } // error: model/setting-form
    config g { network Net neuron M bits { layer "output.conv" { weights 2 } layer "output.conv" { } } } // error: model/setting-twice
    `);
    expect(found[0]!.help).toMatch(/^did you mean "coding"\? `config` has: network, /);
  });

  it('need a network, and a neuron where it spikes', () => {
    expectDiagnostics(`${net}
    config a { coding direct(steps: 4) } // error: model/setting-missing
    config b { network Net } // error: model/setting-missing
    config c extends b { neuron M }
    config d { network Net(3) neuron M } // error: model/argument-extra
    config e { network "x.onnx" } // error: model/argument-type
    config f { network Nett neuron M } // error: model/unknown-name
    neuron M { state u = 0 charge u = u + x fire s = u > 0 }`);
  });

  it('extend known configs, not in a circle', () => {
    expectDiagnostics(`${net}
    neuron M { state u = 0 charge u = u + x fire s = u > 0 }
    config a extends bb { network Net neuron M } // error: model/unknown-name
    config b extends c { network Net neuron M } // error: model/config-cycle
    config c extends b { network Net neuron M }
    config d extends d { network Net neuron M } // error: model/config-cycle
    `);
  });

  it('check the arguments of codings', () => {
    expectDiagnostics(`
    config base { network onnx("x.onnx") }
    config a extends base { coding sws(beta: 1) } // error: model/argument-type
    config b extends base { coding sws(beta: 3.5) } // error: model/argument-type
    config c extends base { coding sws(steps: 0, silent: -1) } // error: model/argument-type, model/argument-type
    config d extends base { coding sws(encoder: exactly) } // error: model/argument-type
    config e extends base { coding direct } // error: model/argument-missing
    config f extends base { coding swss(2) } // error: model/argument-type
    config g extends base { coding rate(steps: 10, seed: 1) }
    config h extends base { coding sws(2, 8, 2) { layer "conv1" { silent 4 } } }
    config i extends base { coding sws(2, 8, 2) { layer "conv1" { silence 4 } } } // error: model/unknown-name
    config j extends base { coding direct(4) { layer "conv1" { silent 4 } } } // error: model/unknown-name
    config k extends base { coding binary(bits: 8) }
    config l extends base { coding phase(period: 8) }
    config m extends base { coding burst(steps: 8, beta: 2) }
    config n extends base { coding ttfs(steps: 0) } // error: model/argument-type
    config o extends base { coding events }
    config p extends base { coding 8 } // error: model/argument-type
    `);
  });

  it('check train settings', () => {
    expectDiagnostics(`
    config a { network onnx("x.onnx") train {
      data "idx:images,labels"
      optimizer sgd(lr: 0) // error: model/argument-type
      schedule steps(every: 3) // error: model/argument-type
      loss cross_entropy(smoothing: 0.1)
      augment [flip, crop(padding: 2), turn] // error: model/argument-type
      normalize channels(mean: [0.5]) // error: model/argument-missing
      batch 0 // error: model/argument-type
      epochs 1.5 // error: model/argument-type
      validation 1 // error: model/argument-type
      early_stop patience(3)
      batchnorm tdbn
      seed 1
      limit 100
    } }`);
  });

  it('don’t contradict themselves', () => {
    const found = expectDiagnostics(`${net}
    neuron M { state u = 0 charge u = u + x fire s = u > 0 }
    config a { network Net neuron M
      bits {
        weights learn(init: 8, max: 6, target: 2) // error: model/conflict
        layer "output" { spikes learn(init: 2, max: 3, target: 4) } // error: model/conflict
      }
      train { normalize channels(mean: [0.5, 0.5], std: [0.5]) } // error: model/conflict
    }
    config b { network Net neuron M train { normalize channels(mean: [0, 0, 0], std: [1, 1, 1]) } } // error: model/conflict
    config c { network Net neuron M train { normalize channels(mean: [0], std: [1]) } }
    `);
    expect(found.map((one) => one.message)).toEqual([
      '`weights` has the start 8, above its bound of 6',
      '`spikes` has the target 4, above its bound of 3',
      '`normalize` has 2 means and 1 standard deviation',
      '`normalize` has 3 means for an input of 1 channels',
    ]);
  });

  it('check patterns of layers against the network', () => {
    const [found] = expectDiagnostics(`${net}
    neuron M { state u = 0 charge u = u + x fire s = u > 0 }
    config a { network Net neuron M bits {
      layer "output" { weights 4 }
      layer "out*.conv" { weights 4 }
      layer "outputt.conv" { weights 4 } // error: model/pattern
      layer "output.con" { weights 4 } // error: model/pattern
    } }`);
    expect(found!.help).toBe('did you mean "output.conv"?');
  });

  it('refuse networks outside the folder, unless that is allowed', () => {
    const text = (mark: string): string => `config a { network onnx("../x.onnx") }${mark}
      config b { network onnx("/x.onnx") }${mark}
      config c { network onnx("nets/../../x.onnx") }${mark}
      config d { network onnx("nets/x.onnx") }`;
    expectDiagnostics(text(' // error: model/outside-folder'));
    expectDiagnostics(text(''), {}, { allowOutside: true });
    expectDiagnostics('config a { network onnx } // error: model/argument-missing');
    expectDiagnostics('config a { network onnx(3) } // error: model/argument-type');
  });

  it('check the sizes of an ONNX network’s inputs', () => {
    for (const shape of ['1,3,8,8', 'x=1,3,8,8; y=N,10'])
      expectDiagnostics(`config a { network onnx("x.onnx", input_shape: "${shape}") }`);
    for (const shape of ['3x8x8', 'x=', '1,0,8'])
      expectDiagnostics(`config a { network onnx("x.onnx", input_shape: "${shape}") } // error: model/wrong-kind`);
  });

  it('check the range of an ONNX network’s integers', () => {
    for (const range of ['0..255', '-8..7', '−1 .. 1'])
      expectDiagnostics(`config a { network onnx("x.onnx", input_codes: "${range}") }`);
    for (const range of ['uint8', '7..-8', '0..65536', '0.5..2'])
      expectDiagnostics(`config a { network onnx("x.onnx", input_codes: "${range}") } // error: model/wrong-kind`);
  });
});
