// Write plugins/infraspec/terraform/aws_schema.txt: the attributes of the AWS provider's resources and data sources.
//
// Sources: the npm packages
//   @cdktn/provider-aws 25.7.0 (for hashicorp/aws 6.66.0; MPL-2.0): bindings generated from the schema that the
//     provider publishes, with every attribute's type and whether it is required, optional or computed;
//   @pulumi/aws 7.48.0 (Apache-2.0): used only for what the published schema leaves out, which optional strings are
//     documented with a default value and which nested blocks are computed.
// The output holds facts only, the names and types of attributes; no text and no code of either package.
//
// Usage (Node 20 or newer), in a folder that can be thrown away:
//   npm install --ignore-scripts --legacy-peer-deps @cdktn/provider-aws@25.7.0 @pulumi/aws@7.48.0
//   node CHECKOUT/tools/aws_schema.mjs node_modules/@cdktn/provider-aws node_modules/@pulumi/aws > aws_schema.txt
//
// Output: a line that names the provider's version, then one for each structure and each type: name, tab, and a JSON
// object from attribute to code. `@1f` is a structure, `aws_vpc` a resource, `data.aws_vpc` a data source.
// A code is a flag, then a type:
//   flags   none: optional, null if it is not set          ~  optional, may have a default of the provider's own
//           ?  optional, computed if it is not set         !  required        =  computed, cannot be set
//           On a nested block: none: empty if it is not set   ~  cannot be decided   ?  computed if it is not set
//   types   s string, n number, b bool, * any;  L S M list, set, map of the type that follows;  @1f an object
//           (* also where the bindings leave out a very deep structure, as the statements of aws_wafv2_web_acl)
//           [@1f {@1f nested blocks, in a list, in a set;  1@1f a list of at most one block
//           (@1f at most one, an object or null
//
// The classes are loaded with a stand-in for their library. Asked for its HCL, a resource then tells how it converts
// each attribute, which is the attribute's type. The flags stand in comments before the members of the class.

import fs from "node:fs";
import Module, { createRequire } from "node:module";
import path from "node:path";

const [bindings, pulumi] = process.argv.slice(2).map((folder) => path.resolve(folder));
const require = createRequire(import.meta.url);

// A value that has every attribute, each of them itself.
const markWriteOnlyAttribute = (value) => value;
const anything = new Proxy({ markWriteOnlyAttribute }, { get: (known, key) => known[key] ?? anything });

class Resource {}
class DataSource {}
const library = {
  TerraformResource: Resource,
  TerraformDataSource: DataSource,
  stringToHclTerraform: () => "s",
  numberToHclTerraform: () => "n",
  booleanToHclTerraform: () => "b",
  anyToHclTerraform: () => "*",
  listMapperHcl: (convert, isBlock) => () => ({ convert, prefix: isBlock ? "[" : "L" }),
  hashMapperHcl: (convert) => () => ({ convert, prefix: "M" }),
  canInspect: () => true,
  isComplexElement: () => false,
  Tokenization: { isResolvable: () => false },
};
const standIn = new Proxy(library, { get: (known, key) => known[key] ?? class {} });
const load = Module._load;
Module._load = (name, ...rest) => (["cdktn", "cdktf", "constructs"].includes(name) ? standIn : load(name, ...rest));

const MEMBER = /^ *\/\/ (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n([^]*?)\n *\}\n/gm;
const NESTED = / = new (?:(?:index|structs)\w*\.)?(\w+)(List|Map|OutputReference)\(this, "\w+"(?:, (\w+))?\)/;
const READERS = { String: "s", Number: "n", Boolean: "b", StringMap: "Ms", NumberMap: "Mn", BooleanMap: "Mb" };
Object.assign(READERS, { List: "Ls", NumberList: "Ln" });

const structures = new Map(); // JSON → id; equal structures are one
let folded = 0;

function intern(attributes, id) {
  const json = JSON.stringify(attributes);
  if (!structures.has(json)) structures.set(json, id ?? "@" + structures.size.toString(16));
  return structures.get(json);
}

// The classes of one resource or data source.
class Binding {
  constructor(classes) {
    this.classes = classes;
    this.known = new Map(); // class name → id of its structure
  }

  // Return {attribute: code} of a class, from its conversions and its comments.
  attributes(className, conversions) {
    const codes = {};
    for (const [, name, computed, optional, required, member] of this.classes[className].toString().matchAll(MEMBER)) {
      const settable = conversions[name];
      if ((settable === undefined) !== (optional === "false" && required === "false")) {
        throw new Error(`${className}.${name}: its comment and its conversion differ`);
      }
      if (!settable) codes[name] = "=" + this.readable(member);
      else codes[name] = (required === "true" ? "!" : computed === "true" ? "?" : "") + this.settable(settable, member);
    }
    const missing = Object.keys(conversions).filter((name) => !(name in codes));
    if (missing.length) throw new Error(`${className}: no comment on ${missing}`);
    return Object.fromEntries(Object.entries(codes).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  settable({ value, type }, member) {
    const code = this.converted(value, member.match(NESTED)?.[1]);
    if (code[0] === "@") return (type === "struct" ? "(" : "1") + code;
    return type === "set" ? (code[0] === "[" ? "{" : "S") + code.slice(1) : code;
  }

  converted(value, structure) {
    if (typeof value === "string") return value;
    if (value.convert) return value.prefix + this.converted(value.convert(anything), structure);
    return this.structure(structure, value);
  }

  readable(member) {
    const [, name, kind, set] = member.match(NESTED) ?? [];
    if (name) return (set === "true" ? "S" : kind === "Map" ? "M" : "L") + this.structure(name, {});
    const [, element, list] = member.match(/ = new cdkt[nf]\.(\w+)Map(List)?\(/) ?? [];
    if (element) return (list ? "L" : "") + (READERS[element + "Map"] ?? "*");
    const type = READERS[member.match(/\.get(\w+)Attribute\(/)?.[1]] ?? "*";
    return member.includes("Fn.tolist") ? "S" + type.slice(1) : type;
  }

  structure(name, conversions) {
    const className = name + "OutputReference";
    if (!(className in this.classes)) throw new Error(`no class ${className}`);
    if (!this.known.has(className)) {
      this.known.set(className, null);
      const attributes = this.attributes(className, conversions);
      this.known.set(className, intern(attributes, this.known.get(className)));
    }
    // null: the bindings fold a structure that repeats inside itself, so its id is asked for before it is complete.
    if (!this.known.get(className)) this.known.set(className, `@r${(folded += 1)}`);
    return this.known.get(className);
  }

  // Yield [type, attributes].
  *types() {
    for (const [name, value] of Object.entries(this.classes)) {
      if (!(value.prototype instanceof Resource || value.prototype instanceof DataSource)) continue;
      const prefix = value.prototype instanceof DataSource ? "data." : "";
      const conversions = value.prototype.synthesizeHclAttributes.call(anything);
      yield [prefix + value.tfResourceType, this.attributes(name, conversions)];
    }
  }
}

// Names as both packages would write them: no underscores, no ending of a plural, lower case.
const plain = (name) => name.replaceAll("_", "").toLowerCase().replace(/[eisy]+$/, "");

const RESOURCE = /class (\w+) extends pulumi\.CustomResource \{([^]*?)\n\}/;
const PROPERTY = /\/\*\*((?:(?!\*\/)[^])*)\*\/\n {4}readonly (\w+): pulumi\.Output<([^]*?)>;\n/g;

// Yield {name, properties: {attribute: {text, nullable}}} of each resource class of Pulumi's package.
function* documentedResources() {
  for (const file of fs.readdirSync(pulumi, { recursive: true })) {
    if (!file.endsWith(".d.ts") || file.startsWith("node_modules")) continue;
    const [, className, body] = fs.readFileSync(path.join(pulumi, file), "utf8").match(RESOURCE) ?? [];
    if (!className) continue;
    const properties = new Map();
    for (const [, text, name, type] of body.matchAll(PROPERTY)) {
      const property = { text, nullable: type.endsWith("| undefined") };
      properties.set(plain(name), properties.has(plain(name)) ? undefined : property);
    }
    yield { name: className.toLowerCase(), properties };
  }
}

// Return the properties that are those of a type: its name ends as the class does and most attributes are the same, or
// nearly all of many are.
function documentationOf(type, attributes, resources) {
  const names = Object.keys(attributes).filter((name) => name !== "id" && name !== "timeouts").map(plain);
  const joined = type.replaceAll("_", "");
  let best = { score: 0 };
  for (const { name, properties } of resources) {
    const common = names.filter((attribute) => properties.has(attribute)).length;
    const score = common / (names.length + properties.size - common);
    const needed = joined.endsWith(name) ? 0.7 : names.length >= 8 ? 0.9 : 2;
    if (score >= needed && score > best.score) best = { score, properties };
  }
  return best.properties;
}

// A default as it is documented: a value in quotes, in capitals or in digits follows the word.
const DEFAULT = /[Dd]efault(s|ed|ing)?( value)?( is| to|:|=)?( be)?( the)?:? *(["'`A-Z0-9]|true|false)|\(default\)/;

// Names of choices and paths: the provider gives many of them a default that its documentation does not tell.
const CHOICES =
  "action algorithm behavior class engine format key_spec level mode path preference protocol scope state status " +
  "strategy tags tier type version";
const CHOICE = new RegExp(`(^|_)(${CHOICES.replaceAll(" ", "|")})$`);

function unsetFlag(name, code, property) {
  if (name === "timeouts") return "";
  if (code !== "s") return property === undefined ? "~" : property.nullable ? "" : "?";
  return property === undefined || DEFAULT.test(property.text) || CHOICE.test(name) ? "~" : "";
}

function completeFlags(attributes, properties) {
  for (const [name, code] of Object.entries(attributes)) {
    if (code !== "s" && !"[{(1".includes(code[0])) continue;
    attributes[name] = unsetFlag(name, code, properties?.get(plain(name))) + code;
  }
}

// What Terraform has itself: the provider that is built in, and its blocks. A block with the name `*` takes others too:
// arguments, or with the code `[*` blocks as well; what it does not take is marked as what no configuration may set.
// Source: Terraform Language Documentation, "The terraform_data Managed Resource Type", "The terraform_remote_state Data
// Source", "lifecycle", "provisioner", and the pages of the blocks in "Configuration blocks"; OpenTofu Documentation,
// "lifecycle" (enabled, destroy), "Provider Configuration" (for_each) and "State and Plan Encryption".
const CONDITION = { condition: "!b", error_message: "!s" };
const BUILT_IN = [
  ["action", { config: "1*", count: "*", depends_on: "*", for_each: "*", provider: "*" }],
  ["assert", CONDITION],
  ["check", { assert: "![%assert", data: "1*" }],
  ["data", { "*": "[*", connection: "=*", lifecycle: "1%lifecycle.data", locals: "=*", provisioner: "=*" }],
  ["data.terraform_remote_state", { backend: "!s", config: "~*", defaults: "~*", outputs: "=*", workspace: "~s" }],
  ["ephemeral", { "*": "[*", lifecycle: "1%lifecycle.data", locals: "=*" }],
  ["import", { for_each: "*", id: "*", identity: "*", provider: "*", to: "!*" }],
  ["lifecycle", {
    action_trigger: "[*", create_before_destroy: "b", destroy: "b", enabled: "b", ignore_changes: "*",
    postcondition: "[%postcondition", precondition: "[%precondition", prevent_destroy: "b", replace_triggered_by: "*",
  }],
  ["lifecycle.data", { enabled: "b", postcondition: "[%postcondition", precondition: "[%precondition" }],
  ["lifecycle.module", { enabled: "b" }],
  ["lifecycle.removed", { destroy: "b" }],
  ["module", { "*": "*", lifecycle: "1%lifecycle.module" }],
  ["moved", { from: "!*", to: "!*" }],
  ["output", {
    depends_on: "*", deprecated: "s", description: "s", ephemeral: "b", precondition: "[%precondition", sensitive: "b",
    type: "*", value: "!*",
  }],
  ["postcondition", CONDITION],
  ["precondition", CONDITION],
  ["provider", { "*": "[*", count: "=*", depends_on: "=*", lifecycle: "=*", locals: "=*", source: "=*" }],
  ["provisioner.file", { connection: "(*", content: "s", destination: "!s", on_failure: "*", source: "s", when: "*" }],
  ["provisioner.local-exec", {
    command: "!s", connection: "(*", environment: "Ms", interpreter: "Ls", on_failure: "*", quiet: "b", when: "*",
    working_dir: "s",
  }],
  ["provisioner.remote-exec", {
    connection: "(*", inline: "Ls", on_failure: "*", script: "s", scripts: "Ls", when: "*",
  }],
  ["removed", { connection: "(*", from: "!*", lifecycle: "1%lifecycle.removed", provisioner: "[%provisioner" }],
  ["resource", { "*": "[*", connection: "(*", lifecycle: "1%lifecycle", locals: "=*", provisioner: "[%provisioner" }],
  ["terraform", {
    backend: "[*", cloud: "[*", encryption: "1*", experiments: "=*", language: "*", provider_meta: "[*",
    required_providers: "[*", required_version: "*",
  }],
  ["validation", CONDITION],
  ["variable", {
    const: "b", default: "*", deprecated: "s", description: "s", ephemeral: "b", nullable: "b", sensitive: "b", type: "*",
    validation: "[%validation",
  }],
  ["terraform_data", { id: "=s", input: "*", output: "=*", triggers_replace: "*" }],
]
  .map(([type, attributes]) => `${type}\t${JSON.stringify(attributes)}`)
  .join("\n");

const resources = [...documentedResources()];
const types = {};
let version;
let documented = 0;
for (const folder of fs.readdirSync(path.join(bindings, "lib")).sort()) {
  const file = path.join(bindings, "lib", folder, "index.js");
  if (!fs.existsSync(file) || folder === "provider" || folder.startsWith("ephemeral-")) continue;
  for (const [type, attributes] of new Binding(require(file)).types()) {
    const properties = type.startsWith("data.") ? undefined : documentationOf(type, attributes, resources);
    documented += properties ? 1 : 0;
    completeFlags(attributes, properties);
    types[type] = attributes;
  }
  version ??= fs.readFileSync(file, "utf8").match(/providerVersion: '([^']*)'/)?.[1];
  for (const key of Object.keys(require.cache)) delete require.cache[key];
}
const lines = [...structures].map(([json, id]) => `${id}\t${json}`);
for (const type of Object.keys(types).sort()) lines.push(`${type}\t${JSON.stringify(types[type])}`);
console.log(`# hashicorp/aws ${version}: written by tools/aws_schema.mjs, which explains it`);
console.log(BUILT_IN);
console.log(lines.join("\n"));
console.error(`${Object.keys(types).length} types, ${documented} documented, ${structures.size} structures`);
