// Compiles the contracts named on the command line and writes what comes out beside each: NAME.sol -> NAME.json.
//
//   NODE_PATH=path/to/node_modules node compile.mjs [--check] Disperse.sol TestUSDC.sol
//
// With --check nothing is written; it fails when what is committed is not what the compiler makes of the source.
// The compiler is solc from npm in exactly the version that the sources ask for.
import { createRequire } from 'module';
import fs from 'fs';
import path from 'path';

const SETTINGS = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: 'paris', // without PUSH0, which not every chain has
  outputSelection: { '*': { '*': ['metadata', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
};

// NODE_PATH is read by require only, not by import.
const require = createRequire(import.meta.url);
const solc = require('solc');

function compile(file) {
  const name = path.basename(file);
  const input = {
    language: 'Solidity',
    sources: { [name]: { content: fs.readFileSync(file, 'utf8') } },
    settings: SETTINGS,
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const problems = output.errors ?? [];
  if (problems.length) throw new Error(problems.map((problem) => problem.formattedMessage).join('\n'));
  const contract = path.basename(file, '.sol');
  const made = output.contracts[name][contract];
  return {
    contract,
    source: name,
    compiler: solc.version(),
    metadata: made.metadata,
    creation_code: '0x' + made.evm.bytecode.object,
    runtime_code: '0x' + made.evm.deployedBytecode.object,
  };
}

const words = process.argv.slice(2);
const checking = words.includes('--check');
for (const file of words.filter((word) => word.endsWith('.sol'))) {
  const target = file.replace(/\.sol$/, '.json');
  const made = JSON.stringify(compile(file), null, 1) + '\n';
  if (!checking) fs.writeFileSync(target, made);
  else if (fs.readFileSync(target, 'utf8') !== made) {
    console.error(`${target} is not what ${solc.version()} makes of ${file}`);
    process.exitCode = 1;
  }
}
