// Write plugins/infraspec/terraform/provider/aws_earlier.json: what earlier major versions of the AWS provider took and
// the schema that is shipped does not.
//
// Sources: the npm packages @cdktn/provider-aws 25.7.0 (hashicorp/aws 6.66.0), @cdktf/provider-aws 19.65.1 (5.99.1) and
// 12.0.12 (4.61.0), all MPL-2.0: bindings generated from the schemas that the provider publishes. The output holds names
// only; no text and no code of these packages.
//
// Usage (Node 20 or newer), with each package unpacked in a folder of its own:
//   node CHECKOUT/tools/aws_earlier.mjs NEW 4=OLDEST 5=OLD > aws_earlier.json
//
// Output: by major version the paths, such as `aws_eip.vpc`, of types, arguments and attributes that it had and the
// schema has not, that could be set and cannot, that were optional and are required, or that had another type. A path of
// version 5 is not repeated for 4.

import fs from "node:fs";
import Module, { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);

// The library of the bindings is not loaded: a class for each name is enough to read the classes of the bindings.
class DataSource {}
const library = new Proxy({ TerraformDataSource: DataSource }, { get: (known, name) => known[name] ?? class {} });
const load = Module._load;
Module._load = (name, ...rest) => (["cdktn", "cdktf", "constructs"].includes(name) ? library : load(name, ...rest));

const START = "(?:\\n    |this\\.)_(\\w+) = new ";
const NESTED = new RegExp(
  `${START}(?:(?:index|structs)\\w*\\.)?(\\w+?)(OutputReference|MapList|List|Map)\\(this, ["'](\\w+)["']`, "g",
);
const MAP = new RegExp(`${START}cdkt[fn]\\.\\w+\\(this, ["'](\\w+)["']`, "g");
const READ = /\n {4}get (\w+)\(\) \{\s+return [^;}]*?\.get(\w+)Attribute\(["'](\w+)["']\)/g;
const OTHER = /\n {4}get (\w+)\(\) \{\s+(?:\/\/[^\n]*\n\s+)?return [^;}]*?\.interpolationForAttribute\(["'](\w+)["']\)/g;

// Return {attribute: {settable, required, type, inner}} of a class: what can be set has a setter, and what is optional
// can be reset.
function members(classes, name, above) {
  const found = {};
  if (!classes[name] || above.includes(name)) return found;
  const text = classes[name].toString();
  const add = (attribute, property, type, inner = {}) => {
    const capital = property[0].toUpperCase() + property.slice(1);
    const settable = text.includes(`\n    set ${property}(`) || text.includes(`\n    put${capital}(`);
    found[attribute] = { settable, required: settable && !text.includes(`\n    reset${capital}(`), type, inner };
  };
  for (const [, property, inner, kind, attribute] of text.matchAll(NESTED)) {
    const type = kind === "OutputReference" ? "one" : kind;
    add(attribute, property, type, members(classes, inner + "OutputReference", [...above, name]));
  }
  for (const [, property, attribute] of text.matchAll(MAP)) add(attribute, property, "map");
  for (const [, property, kind, attribute] of text.matchAll(READ)) {
    add(attribute, property, kind.includes("Map") ? "map" : kind);
  }
  for (const [, property, attribute] of text.matchAll(OTHER)) add(attribute, property, "");
  return found;
}

// Return the attributes of each type of a package.
function types(folder) {
  const found = {};
  for (const entry of fs.readdirSync(path.join(folder, "lib"))) {
    const file = path.join(folder, "lib", entry, "index.js");
    if (entry === "provider" || entry.startsWith("ephemeral-") || !fs.existsSync(file)) continue;
    const classes = require(path.resolve(file));
    for (const [name, made] of Object.entries(classes)) {
      if (!made.tfResourceType) continue;
      const prefix = made.prototype instanceof DataSource ? "data." : "";
      found[prefix + made.tfResourceType] = members(classes, name, []);
    }
    for (const key of Object.keys(require.cache)) delete require.cache[key];
  }
  return found;
}

function* differences(above, before, now) {
  for (const [name, old] of Object.entries(before)) {
    const today = now[name];
    const at = `${above}.${name}`;
    const other = old.settable && today?.settable && old.type && today.type && old.type !== today.type;
    if (!today || (old.settable && !today.settable) || (today.required && !old.required) || other) yield at;
    if (today) yield* differences(at, old.inner, today.inner);
  }
  for (const [name, today] of Object.entries(now)) if (!(name in before) && today.required) yield `${above}.${name}`;
}

const [newest, ...earlier] = process.argv.slice(2);
const now = types(newest);
const output = {};
const seen = new Set();
for (const argument of earlier.sort().reverse()) {
  const [major, folder] = argument.split("=");
  const paths = Object.entries(types(folder)).flatMap(([type, before]) =>
    now[type] ? [...differences(type, before, now[type])] : [type],
  );
  output[major] = [...new Set(paths)].filter((one) => !seen.has(one)).sort();
  paths.forEach((one) => seen.add(one));
}
console.log(JSON.stringify(output, null, 2));
