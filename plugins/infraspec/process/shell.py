"""A shell script, gone through as the shell would: which commands run, and whose exit code reaches the end.

A command that is not asked about is taken to succeed; where a condition decides that nobody can know from the files,
the world is asked. Sources: GNU Bash Manual, "Shell Commands", "The Set Builtin" and "Bourne Shell Builtins".
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from infraspec.core.errors import InfraspecError
from infraspec.process.expressions import HOLE
from infraspec.process.worlds import World

if TYPE_CHECKING:  # a repository without workflows has no scripts to read
    from tree_sitter import Node

MANY = "\ue001"
"""What stands for an unquoted part that is not known, which may be several words or none."""

_MOST_ROUNDS = 2
_MOST_WORDS = 40
_MOST_DEPTH = 12
_FLOW = r"\b(?:exit|return|set|trap|exec|source|eval|break|continue|wait)\b|(?:^|\s)\.\s"
_ASSIGNED = re.compile(r"(?:^|[\s;&|(])([A-Za-z_]\w*)=", re.MULTILINE)
_TESTS = frozenset({"test", "[", "grep", "egrep", "diff", "cmp", "which", "type", "read", "git", "command"})


class UnreadableScriptError(InfraspecError):
    """The script has something that this reader does not understand."""


class Runner(Protocol):
    """What runs the programs of a script, in a repository."""

    @property
    def words(self) -> re.Pattern[str]:
        """What a text has in it that may run what is asked about."""

    def concerns(self, text: str) -> bool:
        """Tell whether a script that cannot be read may run what is asked about."""

    def run(self, words: Sequence[str], shell: Shell, line: int) -> int:
        """Run a program and return its exit code."""

    def matches(self, pattern: str, directory: str) -> Sequence[str] | None:
        """Return the paths that a pattern matches in a directory; None if that is not known."""

    def lost(self, line: int, why: str) -> None:
        """Take notice that a failure is not seen from here on."""

    def wrote(self, path: str, words: Sequence[str]) -> None:
        """Take notice of what a command writes into a file."""


class _Exit(Exception):  # noqa: N818 - how a script ends, no error
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Return(_Exit):
    pass


class _Break(Exception):  # noqa: N818 - how a loop ends, no error
    pass


class _Continue(Exception):  # noqa: N818 - how a round of a loop ends, no error
    pass


@cache
def _tree(script: str) -> Node:
    import tree_sitter_bash  # noqa: PLC0415 - a repository without workflows has no scripts to read
    from tree_sitter import Language, Parser  # noqa: PLC0415 - likewise

    return Parser(Language(tree_sitter_bash.language())).parse(script.encode()).root_node


def _text(node: Node | None) -> str:
    return node.text.decode() if node is not None and node.text is not None else ""


def _named(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type != "comment"]


def statements(script: str) -> list[tuple[str, int]]:
    """Return the statements of a script one after the other, each with its line from 0.

    Raises UnreadableScriptError with the line, if there is one that a shell could not read.
    """
    root = _tree(script)
    if root.has_error:
        wrong = next(child for child in root.children if child.has_error or child.is_error or child.is_missing)
        raise UnreadableScriptError("the script cannot be read", place=str(wrong.start_point[0]))
    begins = [child.start_byte for child in _named(root)]
    whole = script.encode()
    return [
        (whole[begin:end].decode().strip(), whole.count(b"\n", 0, begin))
        for begin, end in pairwise([*begins, len(whole)])
    ]


def commands_in(script: str) -> Iterator[tuple[list[str | None], int]]:
    """Yield the commands of a script with their lines from 0, also those inside of others; None is a word not known."""
    waiting = [_tree(script)]
    while waiting:
        node = waiting.pop(0)
        waiting[:0] = node.named_children
        if node.type == "command":
            parts = [child for child in node.named_children if child.type not in _NO_WORDS]
            yield [_literal(part) for part in parts], node.start_point[0]


_NO_WORDS = frozenset({"variable_assignment", "file_redirect", "herestring_redirect", "heredoc_redirect", "comment"})


def _literal(node: Node) -> str | None:
    """Return what a word is, None if an expansion decides it."""
    match node.type:
        case "command_name":
            return _literal(node.named_children[0]) if node.named_children else None
        case "word" | "number":
            return re.sub(r"\\(.)", r"\1", _text(node))
        case "raw_string":
            return _text(node)[1:-1]
        case "string" if all(child.type == "string_content" for child in node.named_children):
            return _text(node)[1:-1]
        case "concatenation":
            parts = [_literal(child) for child in node.named_children]
            known = "".join(part for part in parts if part is not None)
            is_option = parts[0] is not None and parts[0].startswith("--") and "=" in parts[0]
            return known if is_option or None not in parts else None
        case _:
            return None


class Shell:
    """A shell with its options, variables and directory."""

    def __init__(
        self,
        runner: Runner,
        world: World,
        variables: Mapping[str, str],
        *,
        directory: str = "",
        errexit: bool = False,
        pipefail: bool = False,
        depth: int = 0,
    ) -> None:
        if depth > _MOST_DEPTH:
            raise UnreadableScriptError("scripts call each other too deeply")
        self.runner, self.world, self.depth = runner, world, depth
        self.variables = dict(variables)
        self.directory = directory
        self.errexit, self.pipefail = errexit, pipefail
        self.functions: dict[str, Node] = {}
        self.traps: dict[str, str] = {}
        self.status = 0
        self.guarded = 0
        self.base = 0
        self._jobs: list[int] = []
        self._pipe: list[int] = [0]
        self._failed = 0
        self._substituted = 0

    def run(self, script: str, line: int = 0) -> int:
        """Run a script that begins on a line, and return its exit code. Raises UnreadableScriptError."""
        root = _tree(script)
        if root.has_error:
            raise UnreadableScriptError("the script cannot be read")
        self.base = line
        try:
            self.sequence(root.children)
        except _Exit as end:
            self.status = end.status
        except (_Break, _Continue):
            self.status = 0
        if self.status == 0 and self._failed and not self.errexit:
            self.runner.lost(self._failed, "the shell goes on after a command that fails, and the last one succeeds")
        return self.at_exit()

    def at_exit(self) -> int:
        """Run the trap on EXIT, and return the exit code."""
        if code := self.traps.pop("EXIT", ""):
            before = self.status
            try:
                self._inner(code)
                self.status = before
            except _Exit as end:
                self.status = end.status
                if before and not end.status:
                    self.runner.lost(self.base, "the trap ends the script with success")
        return self.status

    def _inner(self, code: str) -> None:
        root = _tree(code)
        if root.has_error or HOLE in code or MANY in code:
            raise UnreadableScriptError("the script cannot be read")
        self.sequence(root.children)

    def copy(self) -> Shell:
        """Return a subshell."""
        other = Shell(self.runner, self.world, self.variables, directory=self.directory, depth=self.depth + 1)
        other.errexit, other.pipefail, other.functions = self.errexit, self.pipefail, dict(self.functions)
        other.guarded, other.base, other.status = self.guarded, self.base, self.status
        return other

    def line(self, node: Node) -> int:
        """Return the line of the file that a part of the script stands on."""
        return self.base + node.start_point[0]

    def sequence(self, nodes: Sequence[Node]) -> None:
        """Run statements one after the other."""
        for node, following in zip(nodes, [*nodes[1:], None], strict=True):
            if not node.is_named or node.type == "comment":
                continue
            if following is not None and following.type == "&":
                self._background(node)
                continue
            self.execute(node)
            if self.status and not self.guarded:
                self._failed = self._failed or self.line(node)

    def _background(self, node: Node) -> None:
        status = self._subshell([node])
        self._jobs.append(status)
        self.variables["!"] = str(len(self._jobs) - 1)
        if status:
            self.runner.lost(self.line(node), "`&` puts it into the background, where nobody waits for its exit code")
        self.status = 0

    def _subshell(self, nodes: Sequence[Node]) -> int:
        shell = self.copy()
        try:
            shell.sequence(nodes)
        except _Exit as end:
            shell.status = end.status
        return shell.at_exit()

    def execute(self, node: Node) -> None:
        """Run a statement: sets the status, and ends the script if `set -e` says so."""
        handler = self._STATEMENTS.get(node.type)
        if handler is None:
            raise UnreadableScriptError("the script has something unknown", found=node.type, place=str(self.line(node)))
        handler(self, node)

    def _checked(self, status: int) -> None:
        """Set the status of a command, and do what `set -e` and a trap on ERR do."""
        self.status = status
        if not status or self.guarded:
            return
        if code := self.traps.get("ERR", ""):
            self._inner(code)
            self.status = status
        if self.errexit:
            raise _Exit(status)

    def _guarded(self, node: Node) -> int:
        self.guarded += 1
        try:
            self.execute(node)
        finally:
            self.guarded -= 1
        return self.status

    def relevant(self, *nodes: Node) -> bool:
        """Tell whether parts of the script may decide what is asked about."""
        texts = [_text(node) for node in nodes]
        called = "|".join(map(re.escape, self.functions))
        return any(
            self.runner.words.search(text) or re.search(_FLOW, text) or (called and re.search(rf"\b({called})\b", text))
            for text in texts
        )

    def _skip(self, *nodes: Node) -> None:
        for node in nodes:
            for name in _ASSIGNED.findall(_text(node)):
                self.variables[name] = HOLE
        self.status = 0

    def unsure(self, node: Node, what: str = "", usual: bool | None = None) -> bool:  # noqa: FBT001 - three values
        """Ask the world whether a condition holds that the files do not decide."""
        text = what or " ".join(_text(node).split())
        place = self.line(node)
        key = (place, node.start_byte, text, self.depth)
        return bool(self.world.choose(key, doubt=f"`{text}` (line {place})", usual=usual))

    # statements

    def _list(self, node: Node) -> None:
        left, right = _named(node)
        conjunction = any(child.type == "&&" for child in node.children)
        status = self._guarded(left)
        if status == 0 and self._may_fail(left) and self.relevant(right) and not self.unsure(left, usual=True):
            status = self.status = 1
        if (status == 0) != conjunction:
            return
        self.execute(right)
        if status and not self.status:
            self.runner.lost(self.line(node), f"`|| {' '.join(_text(right).split())}` makes a success of it")

    def _may_fail(self, node: Node) -> bool:
        """Tell whether a command may fail that succeeds here because it is not the one asked about."""
        if node.type == "test_command":
            return False
        words = [_text(child) for child in _named(node)] if node.type == "command" else []
        settled = {"echo", "printf", "true", ":", "cd", "export", "set", "sleep", "mkdir", "exit", "wait", "test", "["}
        return node.type in {"command", "redirected_statement"} and not (
            (words and words[0] in settled) or self.relevant(node)
        )

    def _pipeline(self, node: Node) -> None:
        parts = _named(node)
        self._pipe = [self._subshell([part]) for part in parts]
        failing = [status for status in self._pipe if status]
        status = failing[-1] if failing and self.pipefail else self._pipe[-1]
        if failing and not status:
            self.runner.lost(self.line(node), "the pipe has the exit code of its last command, as pipefail is not set")
        self._checked(status)

    def _negated(self, node: Node) -> None:
        status = self._guarded(_named(node)[0])
        self.status = int(not status)
        if status:
            self.runner.lost(self.line(node), "`!` makes a success of its failure")

    def _redirected(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        for part in node.children_by_field_name("redirect"):
            if part.type == "heredoc_redirect" and any(
                child.type in {"pipeline", "list", "command"} or child.type in {"&&", "||"} for child in part.children
            ):
                raise UnreadableScriptError("the script has a command after the begin of a here-document")
            if part.type == "file_redirect" and (target := part.child_by_field_name("destination")):
                words = self._words(body.named_children) if body is not None and body.type == "command" else [HOLE]
                self.runner.wrote(_text(target).strip("\"'"), words)
        if body is None:
            self.status = 0
            return
        self.execute(body)

    def _group(self, node: Node) -> None:
        if node.children and node.children[0].type == "((":
            self.status = 0 if not self.relevant(node) and self.guarded == 0 else int(not self.unsure(node))
            return
        self.sequence(node.children)

    def _sub(self, node: Node) -> None:
        self._checked(self._subshell(node.children))

    def _if(self, node: Node) -> None:
        clauses = [(node, node.children_by_field_name("condition"))]
        clauses += [(c, _named(c)[:1]) for c in node.children if c.type == "elif_clause"]
        if not self.relevant(node):
            self._skip(node)
            return
        for clause, condition in clauses:
            tests = [one for one in condition if one.is_named]
            for test in tests:
                self._guarded(test)
            failed = self.status
            holds = not failed
            if holds and self._may_fail(tests[-1]):
                holds = self.unsure(tests[-1], usual=True)
            if holds:
                self._body(clause, tests)
                return
        last = next((child for child in node.children if child.type == "else_clause"), None)
        if last is not None:
            self.sequence(last.children)
        else:
            if failed and self._is_asked(clauses[-1][1]):
                self.runner.lost(self.line(node), "the `if` does nothing where it fails")
            self.status = 0

    def _is_asked(self, condition: Iterable[Node]) -> bool:
        return any(self.runner.words.search(_text(one)) for one in condition)

    def _body(self, clause: Node, condition: Sequence[Node]) -> None:
        end = condition[-1].end_byte
        self.status = 0
        self.sequence(
            [
                child
                for child in clause.children
                if child.start_byte >= end and child.type not in {"elif_clause", "else_clause"}
            ]
        )

    def _for(self, node: Node) -> None:
        name = _text(node.child_by_field_name("variable"))
        body = node.child_by_field_name("body")
        given = [child for child in node.children_by_field_name("value") if child.is_named]
        words = [word for one in self._words(given) for word in self._globbed(one)]
        if any(HOLE in word or MANY in word for word in words) or node.type == "c_style_for_statement" or not given:
            if body is not None and self.relevant(body) and not self.unsure(node, f"for {name} … has something to do"):
                self.status = 0
                return
            words = [HOLE] * _MOST_ROUNDS
        self.status = 0
        for number, word in enumerate(words[:_MOST_WORDS]):
            self.variables[name] = f"{word}{HOLE}{number}" if HOLE in word else word
            if not self._round(body):
                break

    def _globbed(self, word: str) -> Sequence[str]:
        if not any(sign in word for sign in "*?[") or HOLE in word or MANY in word:
            return [word]
        found = self.runner.matches(word, self.directory)
        return [HOLE] if found is None else found or [word]

    def _round(self, body: Node | None) -> bool:
        """Run the body of a loop once; whether the loop goes on."""
        try:
            if body is not None:
                self.sequence(body.children)
        except _Continue:
            pass
        except _Break:
            return False
        return True

    def _while(self, node: Node) -> None:
        if not self.relevant(node):
            self._skip(node)
            return
        until = node.children[0].type == "until"
        condition = [one for one in node.children_by_field_name("condition") if one.is_named]
        for number in range(_MOST_ROUNDS):
            for test in condition:
                self._guarded(test)
            holds = self.status == 0
            if holds and self._may_fail(condition[-1]):
                holds = bool(
                    self.world.choose(
                        (self.line(node), node.start_byte, number, self.depth),
                        doubt=f"`while {_text(condition[-1])}` (line {self.line(node)})",
                    )
                )
            if holds == until:
                self.status = 0
                return
            if not self._round(node.child_by_field_name("body")):
                return
        if not self.unsure(node, "the loop ends with success"):
            raise _Exit(1)
        self.status = 0

    def _case(self, node: Node) -> None:
        if not self.relevant(node):
            self._skip(node)
            return
        value = "".join(self._words([v] if (v := node.child_by_field_name("value")) else []))
        self.status = 0
        for item in (child for child in node.children if child.type == "case_item"):
            patterns = [_text(one).strip("\"'") for one in item.children_by_field_name("value")]
            known = not any(HOLE in one or MANY in one or "$" in one for one in (value, *patterns))
            if "*" in patterns:
                holds = True
            elif known:
                holds = any(fnmatch.fnmatchcase(value, pattern) for pattern in patterns)
            else:
                holds = self.unsure(item, f"case {value} in {'|'.join(patterns)}".replace(HOLE, "…").replace(MANY, "…"))
            if holds:
                values = item.children_by_field_name("value")
                self.sequence([child for child in item.children if child.start_byte >= values[-1].end_byte])
                return

    def _function(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        if body is not None:
            self.functions[_text(node.child_by_field_name("name"))] = body
        self.status = 0

    def _assignment(self, node: Node) -> None:
        ran = 0
        for one in [node] if node.type == "variable_assignment" else _named(node):
            ran = self._assign(one)
        self._checked(ran)

    def _assign(self, node: Node) -> int:
        """Assign a variable, and return the exit code of what its value ran."""
        self._substituted = 0
        value = node.child_by_field_name("value")
        name = _text(node.child_by_field_name("name"))
        text = self._word(value, quoted=True) if value is not None else ""
        appended = any(child.type == "+=" for child in node.children)
        self.variables[name] = (self.variables.get(name, HOLE) if appended else "") + text
        return self._substituted

    def _declaration(self, node: Node) -> None:
        for one in _named(node):
            if one.type == "variable_assignment" and self._assign(one):
                self.runner.lost(self.line(node), f"`{_text(node.children[0])}` sets its own exit code")
        self.status = 0

    def _test(self, node: Node) -> None:
        inner = _named(node)
        held = self._decided(inner[0]) if len(inner) == 1 else None
        if held is None:
            held = self.unsure(node) if self.relevant_around(node) else True
        self.status = int(not held)
        if not self.guarded:
            self._checked(self.status)

    def relevant_around(self, node: Node) -> bool:
        """Tell whether the statement that a condition is of may decide what is asked about."""
        outer = node.parent
        while outer is not None and outer.type in {"negated_command", "list", "redirected_statement"}:
            if outer.parent is None or outer.parent.type == "program":
                break
            outer = outer.parent
        return self.relevant(outer) if outer is not None else True

    def _decided(self, node: Node) -> bool | None:
        """Return whether a condition of `[ … ]` holds, as far as its words are known."""
        if node.type == "unary_expression":
            operator, *operands = node.children
            words = [self._word(one, quoted=True) for one in operands if one.is_named]
            if operator.type == "!":
                inner = self._decided(operands[0])
                return None if inner is None else not inner
            if len(words) != 1 or HOLE in words[0] or MANY in words[0]:
                return None
            return {"-n": bool(words[0]), "-z": not words[0]}.get(_text(operator))
        if node.type != "binary_expression":
            return None
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return None
        operator_text = _text(node.child_by_field_name("operator"))
        if operator_text in {"&&", "||"}:
            return _both(operator_text, self._decided(left), self._decided(right))
        texts = [self._word(one, quoted=True) for one in (left, right)]
        if any(HOLE in one or MANY in one for one in texts):
            return None
        return _compared(operator_text, *texts)

    def _command(self, node: Node) -> None:
        extra: dict[str, str] = {}
        self._substituted = 0
        for one in node.children:
            if one.type == "variable_assignment":
                value = one.child_by_field_name("value")
                extra[_text(one.child_by_field_name("name"))] = self._word(value, quoted=True) if value else ""
        words = self._words(one for one in node.named_children if one.type != "variable_assignment")
        if self._substituted:
            self.runner.lost(self.line(node), "the exit code of `$( … )` is not that of the command around it")
        if not words:
            self.status = 0
            return
        saved = {key: self.variables.get(key) for key in extra}
        self.variables.update(extra)
        try:
            self.call(words, node)
        finally:
            for key, old in saved.items():
                self.variables.pop(key, None)
                if old is not None:
                    self.variables[key] = old

    def call(self, words: Sequence[str], node: Node) -> None:
        """Run a command: a function, a builtin or a program."""
        if body := self.functions.get(words[0]):
            status = 0
            try:
                self.sequence([body])
                status = self.status
            except _Return as end:
                status = end.status
            self._checked(status)
            return
        if builtin := self._BUILTINS.get(words[0]):
            builtin(self, words, node)
            return
        self._checked(self.runner.run(words, self, self.line(node)))

    # builtins

    def _exit(self, words: Sequence[str], node: Node, ending: type[_Exit] = _Exit) -> None:
        code = words[1] if len(words) > 1 else str(self.status)
        if not code.lstrip("-").isdigit():
            code = "0" if self.unsure(node, f"{words[0]} with success") else "1"
        status = int(code) % 256
        if not status and self._failed:
            self.runner.lost(self.line(node), f"`{' '.join(words)}` ends with success")
        raise ending(status)

    def _set(self, words: Sequence[str], node: Node) -> None:
        del node
        rest = list(words[1:])
        while rest:
            word = rest.pop(0)
            if word in {"--", "-"} or word[:1] not in "+-":
                break
            on = word[0] == "-"
            names = {"e": "errexit"}
            for letter in word[1:]:
                option = rest.pop(0) if letter == "o" and rest else names.get(letter, "")
                if option in {"errexit", "pipefail"}:
                    setattr(self, option, on)
        self.status = 0

    def _cd(self, words: Sequence[str], node: Node) -> None:
        del node
        target = next((word for word in words[1:] if not word.startswith("-")), HOLE)
        self.directory = joined(self.directory, target)
        self.status = 0

    def _wait(self, words: Sequence[str], node: Node) -> None:
        del node
        numbers = [int(word) for word in words[1:] if word.isdigit() and int(word) < len(self._jobs)]
        if len(words) > 1 and not numbers and any(self._jobs):
            raise UnreadableScriptError("nobody can say which process `wait` waits for")
        self._checked(self._jobs[numbers[-1]] if numbers else 0)

    def _trap(self, words: Sequence[str], node: Node) -> None:
        del node
        if len(words) > 2:  # noqa: PLR2004 - the word trap, what to run, and when
            for signal in words[2:]:
                self.traps["EXIT" if signal in {"0", "EXIT"} else signal] = "" if words[1] == "-" else words[1]
        self.status = 0

    def _eval(self, words: Sequence[str], node: Node) -> None:
        text = " ".join(words[1:])
        if HOLE in text or MANY in text:
            if self.runner.concerns(text):
                raise UnreadableScriptError("what `eval` runs is unknown")
            self.status = 0
            return
        before, self.base = self.base, self.line(node)
        self._inner(text)
        self.base = before

    def _fail(self, words: Sequence[str], node: Node) -> None:
        del words, node
        self._checked(1)

    def _succeed(self, words: Sequence[str], node: Node) -> None:
        del words, node
        self.status = 0

    def _test_words(self, words: Sequence[str], node: Node) -> None:
        self._checked(int(not self.unsure(node)) if self.relevant_around(node) and len(words) > 1 else 0)

    def _exec(self, words: Sequence[str], node: Node) -> None:
        if len(words) > 1:
            raise _Exit(self.runner.run(words[1:], self, self.line(node)))
        self.status = 0

    def _leave_loop(self, words: Sequence[str], node: Node, how: type[Exception] = _Break) -> None:
        del words, node
        raise how

    def _command_builtin(self, words: Sequence[str], node: Node) -> None:
        rest = list(words[1:])
        if rest and rest[0] in {"-v", "-V"}:
            self._checked(int(not self.unsure(node)) if self.guarded and self.relevant_around(node) else 0)
        elif rest:
            self._checked(self.runner.run(rest, self, self.line(node)))

    # words

    def _words(self, nodes: Iterable[Node | None]) -> list[str]:
        found: list[str] = []
        for node in nodes:
            if node is None or node.type in {"heredoc_body", "file_redirect", "herestring_redirect"}:
                continue
            if node.type == "command_name":
                node = node.children[0]  # noqa: PLW2901 - the word that is the name
            text = self._word(node)
            split = node.type in {"simple_expansion", "expansion"} and MANY not in text
            found += text.split() if split else [text]
        return found

    def _word(self, node: Node, *, quoted: bool = False) -> str:
        kind = node.type
        if kind == "raw_string":
            return _text(node)[1:-1]
        if kind in {"string", "translated_string"}:
            return self._quoted(node)
        if kind in {"simple_expansion", "expansion"}:
            value = self._variable(node)
            return value if quoted else value.replace(HOLE, MANY)
        if kind in {"command_substitution", "process_substitution"}:
            self._substituted = self._subshell(node.children) or self._substituted
            return HOLE if quoted else MANY
        if kind == "concatenation":
            return "".join(self._word(child, quoted=quoted) for child in node.children)
        if kind == "ansi_c_string":
            return _text(node)[2:-1].encode().decode("unicode_escape")
        if kind == "arithmetic_expansion":
            return HOLE
        return re.sub(r"\\(\n|.)", lambda found: "" if found[1] == "\n" else found[1], _text(node), flags=re.DOTALL)

    def _quoted(self, node: Node) -> str:
        parts, at = [], node.start_byte + 1
        raw = _text(node).encode()
        for child in node.named_children:
            parts.append(raw[at - node.start_byte : child.start_byte - node.start_byte].decode())
            if child.type == "string_content":
                parts.append(re.sub(r'\\([\\"$`\n])', lambda f: "" if f[1] == "\n" else f[1], _text(child)))
            else:
                parts.append(self._word(child, quoted=True))
            at = child.end_byte
        parts.append(raw[at - node.start_byte : -1].decode())
        return "".join(parts)

    def _variable(self, node: Node) -> str:
        inner = _named(node)
        name = _text(inner[0]) if inner else ""
        if name == "?":
            return str(self.status)
        if name.startswith("PIPESTATUS"):
            index = re.search(r"\[(\d+)\]", name)
            number = int(index[1]) if index else 0
            return str(self._pipe[number]) if number < len(self._pipe) else HOLE
        operators = [child.type for child in node.children if not child.is_named and child.type not in {"$", "${", "}"}]
        if name not in self.variables:
            return HOLE
        value = self.variables[name]
        if not operators:
            return value
        if operators[0] in {":-", "-", ":="} and len(inner) > 1 and HOLE not in value:
            return value or self._word(inner[1], quoted=True)
        return HOLE

    _STATEMENTS: ClassVar[Mapping[str, Callable[[Shell, Node], None]]] = {
        "command": _command,
        "list": _list,
        "pipeline": _pipeline,
        "negated_command": _negated,
        "redirected_statement": _redirected,
        "compound_statement": _group,
        "do_group": _group,
        "subshell": _sub,
        "if_statement": _if,
        "for_statement": _for,
        "c_style_for_statement": _for,
        "while_statement": _while,
        "case_statement": _case,
        "function_definition": _function,
        "variable_assignment": _assignment,
        "variable_assignments": _assignment,
        "declaration_command": _declaration,
        "unset_command": _skip,
        "test_command": _test,
    }

    _BUILTINS: ClassVar[Mapping[str, Callable[[Shell, Sequence[str], Any], None]]] = {
        "exit": _exit,
        "return": partial(_exit, ending=_Return),
        "set": _set,
        "cd": _cd,
        "pushd": _cd,
        "wait": _wait,
        "trap": _trap,
        "eval": _eval,
        "exec": _exec,
        "false": _fail,
        "break": _leave_loop,
        "continue": partial(_leave_loop, how=_Continue),
        "command": _command_builtin,
        "builtin": _command_builtin,
        "test": _test_words,
        "[": _test_words,
        **dict.fromkeys(("true", ":", "echo", "printf", "shopt", "umask", "ulimit", "shift", "type", "hash"), _succeed),
    }


def joined(directory: str, target: str) -> str:
    """Return the directory that a path leads to, from the root of the repository; HOLE in it if it is not known."""
    if HOLE in target or MANY in target or target.startswith(("~", "/")):
        known = re.fullmatch(rf"[{HOLE}{MANY}]", target)
        return f"{HOLE}{target}" if not known else HOLE
    parts = [part for part in directory.split("/") if part]
    for part in target.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in {"", ".", ".."}:
            parts.append(part)
        elif part == "..":
            return HOLE
    return "/".join(parts)


def _both(operator: str, left: bool | None, right: bool | None) -> bool | None:  # noqa: FBT001 - three values
    if operator == "&&":
        return False if False in {left, right} else True if left and right else None
    return True if True in {left, right} else False if left is False and right is False else None


def _compared(operator: str, left: str, right: str) -> bool | None:
    match operator:
        case "=" | "==":
            return fnmatch.fnmatchcase(left, right)
        case "!=":
            return not fnmatch.fnmatchcase(left, right)
    compare: dict[str, Callable[[int, int], bool]] = {
        "-eq": int.__eq__,
        "-ne": int.__ne__,
        "-gt": int.__gt__,
        "-ge": int.__ge__,
        "-lt": int.__lt__,
        "-le": int.__le__,
    }
    if operator in compare and left.lstrip("-").isdigit() and right.lstrip("-").isdigit():
        return compare[operator](int(left), int(right))
    return None
