// Saves route files as Kaoto does: its serializer (yaml, keys in its order, comments at the top alone) on what it parsed.
// Prints {file, saved} for each file; with --write it writes the files instead.
const { readFileSync, writeFileSync } = require('fs');
const { parse, stringify } = require('yaml');

const FIRST = ['id', 'description', 'uri', 'parameters', 'steps'];

function inKaotosOrder(a, b) {
  const [left, right] = [a, b].map((pair) => FIRST.indexOf(pair.key.value));
  if (left === -1 && right === -1) {
    return a.key.value.localeCompare(b.key.value);
  }
  if (left === -1 || right === -1) {
    return left === -1 ? 1 : -1;
  }
  return left - right;
}

function save(text) {
  const lines = text.split('\n');
  const comments = lines.slice(0, lines.findIndex((line) => line.trim() !== '' && !/^\s*#/.test(line)));
  const routes = stringify(parse(text), { sortMapEntries: inKaotosOrder, schema: 'yaml-1.1' });
  return comments.map((line) => line.trimStart() + '\n').join('') + routes;
}

const write = process.argv.includes('--write');
for (const file of process.argv.slice(2).filter((argument) => argument !== '--write')) {
  const saved = save(readFileSync(file, 'utf8'));
  if (write) {
    writeFileSync(file, saved);
  } else {
    console.log(JSON.stringify({ file, saved }));
  }
}
