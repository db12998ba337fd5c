// Checks every #include of the C++ code against layers.txt, and the length of every file.
// Prints `file:line: message` for each violation and exits with 1 if there is one.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const kMaxLines = { h: 200, cc: 500 };
const kLongWithin = 15; // a longer file says why, `// Long: …`, this near to its top

// What every module may include: C++ headers have neither a dot nor a slash, these come with Linux.
const kPlatform = /^[a-z0-9_]+$|^(sys|linux|netinet|arpa)\/|^(cpuid|cxxabi|dirent|dlfcn|execinfo|fcntl|grp|netdb|poll|pthread|pwd|sched|signal|spawn|termios|unistd|[a-z0-9]+intrin)\.h$/;

// What a file may include because of what it is, whatever its module.
const kByKind = [
  { file: /(_test\.cc|_testing\.(h|cc))$|^tests\//, headers: /^(gtest|gmock)\// },
  { file: /_bench\.cc$|^bench\//, headers: /^benchmark\// },
];

const root = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..');
const violations = [];
const report = (file, line, message) => violations.push(`${file}:${line}: ${message}`);

// layers.txt as a map from a module's name to { floor, after, uses }.
function readLayers(file) {
  const modules = new Map();
  let floor;
  readFileSync(join(root, file), 'utf8').split('\n').forEach((text, index) => {
    const [name, ...words] = text.replace(/#.*/, '').trim().split(/\s+/);
    if (name === '') return;
    if (name === 'floor') {
      floor = Number(words[0]);
      return;
    }
    const module = { floor, after: [], uses: [] };
    let list;
    for (const word of words) {
      if (word === 'after' || word === 'uses') list = module[word];
      else if (list) list.push(word);
      else report(file, index + 1, `expected 'after' or 'uses' instead of '${word}'`);
    }
    // Only what stands above: so there can be no cycle within a floor.
    for (const other of module.after) {
      if (modules.get(other)?.floor !== floor) {
        report(file, index + 1, `'${other}' does not stand above '${name}' on its floor`);
      }
    }
    modules.set(name, module);
  });
  return modules;
}

function cppFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return cppFiles(path);
    return /\.(h|cc)$/.test(path) ? [path] : [];
  });
}

const layers = readLayers('layers.txt');

// Each of these returns what is wrong with one include, or undefined.

function checkPublic(header, quoted) {
  if (!quoted && /^[a-z0-9_]+$/.test(header)) return;
  if (header.startsWith('weir/')) return;
  if (header === 'stddef.h' || header === 'stdint.h') return; // of the interface that is C
  return 'a public header includes the standard library and public headers only';
}

function checkQuoted(header, file, from) {
  const [name, ...rest] = header.split('/');
  if (name === 'weir') return;
  if (rest.length === 0) {
    // Generated headers are found by their bare name; a neighbour is not.
    return existsSync(join(root, dirname(file), header)) ? 'name it with its module' : undefined;
  }
  const to = layers.get(name);
  if (!to) return `layers.txt has no module '${name}'`;
  const self = layers.get(from);
  if (name === from || to.floor < self.floor || self.after.includes(name)) return;
  return `'${from}' (floor ${self.floor}) may not include '${name}' (floor ${to.floor})`;
}

function checkAngled(header, file, from) {
  if (kPlatform.test(header) || header.startsWith('weir/')) return;
  if (kByKind.some((kind) => kind.file.test(file) && kind.headers.test(header))) return;
  const uses = layers.get(from).uses;
  if (uses.some((use) => header === use || (use.endsWith('/') && header.startsWith(use)))) return;
  return layers.has(header.split('/')[0])
    ? 'quote the headers of modules'
    : `layers.txt does not let '${from}' use <${header}>`;
}

function checkFile(path) {
  const file = relative(root, path);
  const folders = file.split('/');
  const isPublic = folders[0] === 'include';
  const from = folders[0] === 'src' ? folders[1] : folders[0];
  if (!isPublic && !layers.has(from)) {
    report(file, 1, `layers.txt has no module '${from}'`);
    return;
  }

  const lines = readFileSync(path, 'utf8').replace(/\n$/, '').split('\n');
  lines.forEach((text, index) => {
    const include = /^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)/.exec(text);
    if (!include) return;
    const [, quoted, angled] = include;
    let problem;
    if (isPublic) problem = checkPublic(quoted ?? angled, quoted !== undefined);
    else if (quoted) problem = checkQuoted(quoted, file, from);
    else problem = checkAngled(angled, file, from);
    if (problem) report(file, index + 1, problem);
  });

  const limit = kMaxLines[file.endsWith('.h') ? 'h' : 'cc'];
  const saysWhy = lines.slice(0, kLongWithin).some((text) => text.startsWith('// Long:'));
  if (lines.length > limit && !saysWhy) {
    report(file, limit + 1, `more than ${limit} lines: split it, or say why at its top: // Long: …`);
  }
}

for (const folder of ['src', 'include', 'bench', 'fuzz', 'tests']) {
  cppFiles(join(root, folder)).forEach(checkFile);
}
violations.forEach((violation) => console.error(violation));
process.exit(violations.length > 0 ? 1 : 0);
