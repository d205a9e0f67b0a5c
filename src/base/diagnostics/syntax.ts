import { define } from './define.js';

export const syntaxDiagnostics = {
  'syntax/unexpected': define<{ expected: string; found: string }>(
    'error',
    ({ expected, found }) => `expected ${expected}, found ${found}`,
    `The text can't be read as a model file from this place on: something else has to stand here.

The compiler goes on after the place and reports further errors it finds, so one slip may be followed by
errors that vanish with it. The grammar is in docs/grammar.ebnf, drawn in docs/grammar.html.`,
  ),
  'syntax/character': define<{ character: string }>(
    'error',
    ({ character }) => `the character ${character} has no meaning in a model file`,
    `Outside comments and strings, a model file is made of names, numbers and the signs
\`{ } ( ) [ ] , : . | = + - * / ^ < > <= >= == !=\`. Comments start with \`//\`, strings stand in double quotes.`,
  ),
  'syntax/unterminated-string': define(
    'error',
    () => 'this string has no closing quote on its line',
    `A string starts and ends with \`"\` on one line. Inside, write \`\\"\` for a quote, \`\\\\\` for a backslash,
\`\\n\` for a line break and \`\\t\` for a tab.`,
  ),
  'syntax/escape': define<{ escape: string }>(
    'error',
    ({ escape }) => `${escape} isn't an escape that strings know`,
    `A backslash in a string starts one of \`\\"\`, \`\\\\\`, \`\\n\` and \`\\t\`. Write paths with \`/\`.`,
  ),
  'syntax/unclosed': define<{ bracket: string }>(
    'error',
    ({ bracket }) => `this \`${bracket}\` is never closed`,
    `Every \`{\`, \`(\` and \`[\` needs its partner. The message also points at the place where the compiler noticed:
a bracket of another kind, the start of the next declaration, or the end of the file.`,
  ),
  'syntax/unopened': define<{ bracket: string }>(
    'error',
    ({ bracket }) => `this \`${bracket}\` closes nothing`,
    `A closing bracket stands where no bracket of its kind is open: there is one too many, or an opening one is missing
before it.`,
  ),
  'syntax/too-large': define<{ size: number; limit: number }>(
    'error',
    ({ size, limit }) => `the file has ${size} characters; a model file may have ${limit}`,
    `Model files are written by people and stay small: weights live in other files. The limit keeps the compiler's time
and memory bounded on broken input. Split a larger file and join the parts with \`use\`.`,
  ),
  'syntax/too-deep': define<{ limit: number; what: string }>(
    'error',
    ({ limit, what }) => `${what} nest more than ${limit} deep here`,
    `Brackets may nest 64 deep and operators in one expression 400 deep: far more than a person can read, and few enough
that the compiler never runs out of stack. Name intermediate results, or move a part into a block.`,
  ),
  'syntax/too-many-errors': define<{ count: number }>(
    'error',
    ({ count }) => `there are ${count} more errors; they aren't shown`,
    `The file doesn't look like a model file, or one slip near its start confuses the rest. Correct the first errors and
check again.`,
  ),
} as const;
