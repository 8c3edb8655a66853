// The index of a provider's constructs loads every type of resource there is, for seconds.
// Preloaded by Node, this has it load each one when it is asked for.
"use strict";
const { readFileSync } = require("node:fs");
const { _extensions } = require("node:module");

const INDEX = /@cdktn[\\/]provider-[a-z]+[\\/]lib[\\/]index\.js$/;
const EXPORT = /^exports\.(\w+) = (__importStar\(require\("[^"]+"\)\));$/gm;
const WHEN_ASKED = 'Object.defineProperty(exports, "$1", { enumerable: true, get: () => $2 });';
const load = _extensions[".js"];

_extensions[".js"] = (module, filename) => {
  if (!INDEX.test(filename)) return load(module, filename);
  return module._compile(readFileSync(filename, "utf8").replace(EXPORT, WHEN_ASKED), filename);
};
