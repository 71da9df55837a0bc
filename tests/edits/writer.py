"""Terraform source of a tree, in its layout."""

from __future__ import annotations

import json
from itertools import chain

from tests.edits.trees import REFERENCE, Body, Json, Tree

_ELEMENTS = {"Action": "actions", "NotAction": "not_actions", "Resource": "resources", "NotResource": "not_resources"}
_PRINCIPALS = {"Principal": "principals", "NotPrincipal": "not_principals"}


def written(tree: Tree) -> dict[str, str]:
    """Return the files of a tree."""
    return _Writer(tree).files()


class _Writer:
    def __init__(self, tree: Tree) -> None:
        self.tree, self.layout = tree, tree.layout
        modules = self.layout.modules
        self.module_of = {node: name for name, nodes in modules.items() for node in nodes}
        self.text: dict[str, list[str]] = {"": [], **{name: [] for name in modules}}
        self.outputs: dict[str, dict[str, str]] = {name: {} for name in modules}
        self.inputs: dict[str, dict[str, str]] = {name: {} for name in modules}
        self.extra: dict[str, str] = {}
        self.documents: dict[tuple[str, str], str] = {}

    def files(self) -> dict[str, str]:
        """Return the text of each file."""
        provider = ['provider "aws" {', '  region = "<region>"', *self.tree.provider, "}"]
        self.text[""].append("\n".join(provider))
        for name in self.tree.nodes:
            self._node(name)
        self.text[""] += self.tree.more
        for module in reversed(self.layout.modules):
            self._call(module)
        paths = {name: f"modules/{name}/main.tf" if name else "main.tf" for name in self.text}
        files = {**self.extra, **{path: "\n".join(self.text[name]) + "\n" for name, path in paths.items()}}
        return {path: self.tree.filled(text) for path, text in files.items()}

    def _call(self, module: str) -> None:
        """Write the call of a module, its variables and outputs."""
        key = self.layout.module_each.get(module)
        each = {"for_each": f'toset(["{key}"])'} if key else {}
        arguments = {**each, "source": f'"./modules/{module}"', **self.inputs[module]}
        self.text[""].append(_block(f'module "{module}"', [f"{name} = {value}" for name, value in arguments.items()]))
        self.text[module] += [_block(f'variable "{name}"', ["type = any"]) for name in self.inputs[module]]
        self.text[module] += [_block(f'output "{name}"', [f"value = {v}"]) for name, v in self.outputs[module].items()]

    def _node(self, name: str) -> None:
        module, (type_, body) = self.module_of.get(name, ""), self.tree.nodes[name]
        key = self.layout.each.get(name)
        if key is not None and not {"count", "for_each"} & body.keys():
            body = {"count": key, **body} if isinstance(key, int) else {"for_each": f'= toset(["{key}"])', **body}
        kind, _, data = type_.partition(".")
        head = f'data "{data}"' if kind == "data" else f'resource "{type_}"'
        self.text[module].append(_block(f'{head} "{self._label(name)}"', self._body(body, module)))

    def _body(self, body: Body, module: str) -> list[str]:
        lines: list[str] = []
        for name, value in body.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                lines += [_block(name, self._body(block, module)) for block in value]
            else:
                lines.append(f"{name} = {self._value(value, module)}")
        return lines

    def _label(self, name: str) -> str:
        return self.layout.label.format(name)

    def _value(self, value: Json, module: str) -> str:
        """Write an argument, or a JSON value, as an HCL expression."""
        match value:
            case str() if value.startswith("doc:"):
                return self._document(value.removeprefix("doc:"), module)
            case str() if value.startswith("= "):
                return REFERENCE.sub(lambda found: self._reference(found[1], found[2], module), value[2:])
            case str():
                return self._string(value, module)
            case dict():
                items = [f"{json.dumps(key)} = {self._value(item, module)}" for key, item in value.items()]
                return "{ " + ", ".join(items) + " }"
            case list():
                return "[" + ", ".join(self._value(item, module) for item in value) + "]"
            case _:
                return json.dumps(value)

    def _string(self, value: str, module: str, escape: str = "$${") -> str:
        whole = REFERENCE.fullmatch(value)
        if whole:
            return self._reference(whole[1], whole[2], module)
        return self._interpolated(json.dumps(value).replace("${", escape), module)

    def _interpolated(self, text: str, module: str) -> str:
        return REFERENCE.sub(lambda found: f"${{{self._reference(found[1], found[2], module)}}}", text)

    def _reference(self, name: str, attribute: str, module: str) -> str:
        """Return the expression for an attribute of a node in a module, by way of outputs and variables."""
        home, (type_, body) = self.module_of.get(name, ""), self.tree.nodes[name]
        own = {"count", "for_each"} & body.keys()
        key = self.layout.each.get(name) if not own else 0 if "count" in body else "<container>"
        at = "" if key is None else "[0]" if isinstance(key, int) else f'["{key}"]'
        local = f"{type_}.{self._label(name)}{at}.{attribute}"
        if home == module:
            return local
        passed, inside = f"{name}_{attribute}", local
        if home:
            self.outputs[home][passed] = local
            of = self.layout.module_each.get(home)
            inside = f"module.{home}" + (f'["{of}"]' if of else "") + f".{passed}"
        if not module:
            return inside
        self.inputs[module][passed] = inside
        return f"var.{passed}"

    # Documents

    def _document(self, name: str, module: str) -> str:
        """Return the expression for a document in a module, where it is written once."""
        key = name, module
        if key not in self.documents:
            self.documents[key] = self._written(name, module)
        return self.documents[key]

    def _written(self, name: str, module: str) -> str:
        tree = self.tree.documents[name]
        form = "text" if isinstance(tree, str) else self.layout.form
        match form:
            case "text":
                return f"<<EOT\n{tree}\nEOT"
            case "data" if _is_expressible(tree):
                self._data(name, tree, module)
                return f"data.aws_iam_policy_document.{self._label(name)}.json"
            case "heredoc":
                return f"<<EOT\n{self._interpolated(_json(tree), module)}\nEOT"
            case "template":
                return self._template(name, _json(tree), module)
            case "local":
                encoded = f"jsonencode({self._value(tree, module)})"
                self.text[module].append(_block("locals", [f"{self._label(name)} = {encoded}"]))
                return f"local.{self._label(name)}"
            case _:
                return f"jsonencode({self._value(tree, module)})"

    def _template(self, name: str, text: str, module: str) -> str:
        path = f"policies/{name.replace('_', '-')}.json"
        used = dict.fromkeys(found.groups() for found in REFERENCE.finditer(text))
        place = f"modules/{module}/{path}" if module else path
        if not used:
            self.extra[place] = text.replace("$${", "${")
            return f'file("${{path.module}}/{path}")'
        self.extra[place] = REFERENCE.sub(r"${\1_\2}", text)
        given = [f"{node}_{attribute} = {self._reference(node, attribute, module)}" for node, attribute in used]
        return f'templatefile("${{path.module}}/{path}", {{ {", ".join(given)} }})'

    def _data(self, name: str, tree: Json, module: str) -> None:
        """Write a document as a data source of the provider."""
        lines = [] if tree["Version"] == "2012-10-17" else [f'version = "{tree["Version"]}"']
        lines += [_block("statement", self._statement(statement, module)) for statement in tree["Statement"]]
        self.text[module].append(_block(f'data "aws_iam_policy_document" "{self._label(name)}"', lines))

    def _statement(self, statement: Json, module: str) -> list[str]:
        return list(chain.from_iterable(self._element(name, value, module) for name, value in statement.items()))

    def _element(self, name: str, value: Json, module: str) -> list[str]:
        match name:
            case "Sid" | "Effect":
                return [f"{name.lower()} = {json.dumps(value)}"]
            case "Principal" | "NotPrincipal":
                principals = value if isinstance(value, dict) else {"*": value}
                return [
                    _block(_PRINCIPALS[name], [f'type = "{type_}"', f"identifiers = {self._listed(who, module)}"])
                    for type_, who in principals.items()
                ]
            case "Condition":
                return [
                    _block(
                        "condition",
                        [f'test = "{test}"', f'variable = "{key}"', f"values = {self._listed(wanted, module)}"],
                    )
                    for test, keys in value.items()
                    for key, wanted in keys.items()
                ]
            case _:
                return [f"{_ELEMENTS[name]} = {self._listed(value, module)}"]

    def _listed(self, value: Json, module: str) -> str:
        items = value if isinstance(value, list) else [value]
        return "[" + ", ".join(self._string(str(item), module, "&{") for item in items) + "]"


def _block(head: str, lines: list[str]) -> str:
    return "\n".join([f"{head} {{", *lines, "}"])


def _json(tree: Json) -> str:
    return json.dumps(tree, indent=2).replace("${", "$${")


def _is_expressible(tree: Json) -> bool:
    """Tell whether aws_iam_policy_document can be made to return a document."""
    return (
        isinstance(tree, dict)
        and tree.keys() == {"Version", "Statement"}
        and tree["Version"] in {"2012-10-17", "2008-10-17"}
        and isinstance(tree["Statement"], list)
        and len(tree["Statement"]) > 0
        and all(map(_is_statement, tree["Statement"]))
    )


def _is_statement(tree: Json) -> bool:
    return (
        isinstance(tree, dict)
        and tree.keys() <= {"Sid", "Effect", "Condition", *_ELEMENTS, *_PRINCIPALS}
        and tree.get("Effect") in {"Allow", "Deny"}
        and all(tree.values())
        and all(isinstance(tree.get(name, {}), dict) or tree[name] == "*" for name in _PRINCIPALS)
        and _is_condition(tree.get("Condition", {}))
    )


def _is_condition(tree: Json) -> bool:
    return isinstance(tree, dict) and all(isinstance(keys, dict) for keys in tree.values())
