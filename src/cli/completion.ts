import type { Command, Option } from 'commander';
import { fail } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import { artifacts } from '../workspace/types.js';
import { withCommonFlags } from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';

const shells = { bash, zsh, fish } as const;
type Shell = keyof typeof shells;

/** `spikec completion SHELL` */
export function addCompletion(program: Command, host: Host): void {
  const command = program
    .command('completion')
    .summary('print a script that completes commands in a shell')
    .description(
      'Print a script that completes commands, options and their choices in a shell: bash, zsh or fish. A shell reads it when it starts.',
    )
    .argument('<shell>', Object.keys(shells).join(', '))
    .action((shell: string, flags: CommonFlags) =>
      runCommand(host, flags, () => {
        const text = shells[known(shell)](wordsOf(program));
        return { text, json: { shell, script: text } };
      }),
    );
  withCommonFlags(command, [
    'spikec completion bash >> ~/.bashrc',
    'spikec completion zsh > ~/.zsh/completions/_spikec',
    'spikec completion fish > ~/.config/fish/completions/spikec.fish',
  ]);
}

function known(shell: string): Shell {
  if (Object.hasOwn(shells, shell)) return shell as Shell;
  const problem = `there is no completion for "${shell}"`;
  return fail('cli/usage', { problem }, undefined, { help: suggest(shell, Object.keys(shells)) });
}

/** A command as a shell needs it. */
interface Words {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly {
    readonly flags: readonly string[];
    readonly summary: string;
    readonly choices: readonly string[];
    readonly takesFile: boolean;
  }[];
}

function wordsOf(program: Command): readonly Words[] {
  return program.commands.map((command) => ({
    name: command.name(),
    summary: command.summary(),
    options: command.options
      .filter(({ hidden }) => !hidden)
      .map((option) => ({
        flags: [option.long, option.short].filter((flag) => flag !== undefined),
        summary: firstSentence(option.description),
        choices: choicesOf(option),
        takesFile: option.required || option.optional,
      })),
  }));
}

function choicesOf(option: Option): readonly string[] {
  // a list of words: its first
  if (option.long === '--emit') return artifacts;
  return option.argChoices ?? [];
}

function firstSentence(text: string): string {
  return text
    .split(/[.;:(]/)[0]!
    .trim()
    .replaceAll(/['"`$\\[\]]/g, '');
}

function bash(commands: readonly Words[]): string {
  const cases = commands.map(
    ({ name, options }) => `    ${name}) options="${options.flatMap((one) => one.flags).join(' ')}" ;;`,
  );
  const choices = commands.flatMap(({ name, options }) =>
    options.flatMap(({ flags, choices: words }) =>
      words.length === 0
        ? []
        : flags.map(
            (flag) => `    "${name} ${flag}") COMPREPLY=($(compgen -W "${words.join(' ')}" -- "$word")); return ;;`,
          ),
    ),
  );
  return `# Completes spikec in bash.
_spikec() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" options=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} --help --version" -- "$word"))
    return
  fi
  case "$command $before" in
${choices.join('\n')}
  esac
  case "$command" in
${cases.join('\n')}
  esac
  if [[ "$word" == -* ]]; then COMPREPLY=($(compgen -W "$options --help" -- "$word")); else COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -o filenames -F _spikec spikec
`;
}

function zsh(commands: readonly Words[]): string {
  const cases = commands.map(({ name, options }) => {
    const specs = options.flatMap(({ flags, summary, choices, takesFile }) =>
      flags.map((flag) => {
        const value = choices.length > 0 ? `:value:(${choices.join(' ')})` : takesFile ? ':value:_files' : '';
        return `'${flag}[${summary.replaceAll(':', ' ')}]${value}'`;
      }),
    );
    return `    ${name}) _arguments ${specs.join(' ')} '*:file:_files' ;;`;
  });
  return `#compdef spikec
# Completes spikec in zsh.
_spikec() {
  local -a commands
  commands=(${commands.map(({ name, summary }) => `'${name}:${firstSentence(summary)}'`).join(' ')})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
compdef _spikec spikec
`;
}

function fish(commands: readonly Words[]): string {
  const lines = commands.flatMap(({ name, summary, options }) => [
    `complete -c spikec -n __fish_use_subcommand -f -a ${name} -d '${firstSentence(summary)}'`,
    ...options.map(({ flags, summary: what, choices, takesFile }) => {
      const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
      const value = choices.length > 0 ? ` -x -a '${choices.join(' ')}'` : takesFile ? ' -r' : '';
      return `complete -c spikec -n '__fish_seen_subcommand_from ${name}' ${names.join(' ')}${value} -d '${what}'`;
    }),
  ]);
  return `# Completes spikec in fish.\n${lines.join('\n')}\n`;
}
