// The fenced blocks of the documents, with what the page says about how each is tested (README.md beside).
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import path from 'node:path';

import {root} from '../../support/server.mjs';

/** README.md and every page below docs. */
export const pages = () => {
  const names = execFileSync(
      'git', ['ls-files', '--cached', '--others', '--exclude-standard', 'README.md', 'docs'],
      {cwd: root, encoding: 'utf8'});
  return [...new Set(names.split('\n'))].filter((name) => name.endsWith('.md')).sort();
};

export const textOf = (page) => readFileSync(path.join(root, page), 'utf8');

/**
 * The blocks of a page in order: `{page, line, language, text, notes}`. `notes` holds the comments
 * `<!-- test: … -->` right above the block, `line` is that of the block's first line of text.
 */
export function blocksOf(page, text = textOf(page)) {
  const blocks = [];
  const lines = text.split('\n');
  let notes = [];
  for (let i = 0; i < lines.length; ++i) {
    const fence = /^( *)(```+|~~~+)(.*)$/.exec(lines[i]);
    const note = /^ *<!-- test: (.*?) -->$/.exec(lines[i]);
    if (note) notes.push(note[1]);
    if (!fence) {
      if (!note) notes = [];
      continue;
    }
    const end = lines.findIndex((line, at) => at > i && line.trim() === fence[2]);
    if (end < 0) throw new Error(`${page}:${i + 1}: the block does not end`);
    const inner =
        lines.slice(i + 1, end).map((line) => line.startsWith(fence[1]) ? line.slice(fence[1].length) : line);
    blocks.push({page, line: i + 2, language: fence[3].trim(), text: inner.join('\n') + '\n', notes});
    notes = [];
    i = end;
  }
  return blocks;
}

/** What stands behind `NAME` in a note of the block: '' for a bare one, undefined where there is none. */
export function noteOf(block, name) {
  for (const note of block.notes) {
    if (note === name) return '';
    if (note.startsWith(`${name} `) || note.startsWith(`${name}: `))
      return note.slice(name.length).replace(/^:? /, '');
  }
}

/** Every note of this kind, in order. */
export const notesOf = (block, name) =>
    block.notes.filter((note) => note.startsWith(`${name} `)).map((note) => note.slice(name.length + 1));

export const whereIs = (block) => `${block.page}:${block.line}`;

/** Whether `text` is what `pattern` shows: `…` stands for anything, blanks at line ends do not count. */
export function shows(pattern, text) {
  const plain = (value) => value.replace(/[ \t]+$/gm, '').trim();
  const escaped = plain(pattern).replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '[^]*?');
  return new RegExp(`^${escaped}$`).test(plain(text));
}
