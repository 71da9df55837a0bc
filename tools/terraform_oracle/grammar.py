"""Expressions of the Terraform language, made at random from a grammar; each number gives the same one every time."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping

STRINGS = [
    *('""', '"a"', '"b"', '"Hello World"', '"日本語"', '"  pad  "', '"a,b,,c"', '"10.0.0.0/16"', '"10.1.2.3"'),
    *('"é"', r'"a\nb\n"', '"x-y_z.txt"', '"UPPER lower"', '"1"', '"01"', '"1.50"', '"true"', '"$${a}"', '"%%{b}"'),
    *(r'"t\tq\"\\"', '"👩‍👧"', '"ß"', '"<&>"', '"/usr/local/bin/x.tar.gz"', '"aaa"', '"key=value"', '"no"', '"null"'),
    *('"2021-03-14T15:09:26Z"', '"1e3"', '"-5"', '" 7"', '"0x1f"', r'"\u00e9e\u0301"', '"a-b-c"', '"~"', '"- x"'),
]
NUMBERS = [
    *("0", "1", "-1", "2", "3", "5", "10", "16", "255", "0.5", "-0.5", "1.5", "2.25", "100", "1e3", "1e-7", "-7"),
    *("12345678901234567890", "3.14159", "0.1", "1e21", "123456.789", "-2.5", "0.000001"),
]
PATTERNS = [
    *('"[a-z]+"', '"(\\\\d+)"', '"^(.)(.*)$"', '"(?P<first>[a-z])(?P<rest>.*)"', '"[^,]*"', '"\\\\s"', '"(?i)HELLO"'),
    *('"a|b"', '"x?"', '"."', '"\\\\b\\\\w"', '"[[:upper:]]+"'),
]
FORMATS = [
    *('"%s"', '"%v"', '"%q"', '"%d"', '"%5d|%-5d|%05d"', '"%x %X %o %b"', '"%.2f"', '"%8.3f|"', '"%e"', '"%g"', '"%t"'),
    *('"%%"', '"%10s|%-10s|"', '"%#v"', '"%+d"', '"% d"', '"%.3s"', '"%[2]s %[1]s"', '"%c"', '"%U"', '"%G"', '"%E"'),
    *('"%s-%s"', '"%03.1f"', '"%s %d %v"', '"%#x"', '"%5t|"', '"%-8v|"', '"%5q|"', '"%+.1e"'),
]
NETWORKS = ['"10.0.0.0/16"', '"192.168.1.0/24"', '"fd00:abcd::/32"', '"10.1.2.3/8"', '"0.0.0.0/0"', '"172.16.0.0/12"']
DATES = [
    '"2021-03-14T15:09:26Z"',
    '"2020-02-29T00:00:00+09:00"',
    '"1999-12-31T23:59:59-05:30"',
    '"2021-13-01T00:00:00Z"',
]
LAYOUTS = [
    *('"DD MMM YYYY hh:mm ZZZ"', '"EEEE, DD-MMM-YY hh:mm:ss ZZZ"', "\"YYYY-MM-DD'T'hh:mm:ssZ\"", '"h:mm aa"'),
    *('"HH:mm:ss AA"', '"M/D/YY"', '"MMMM EEE"', "\"'o''clock' h\"", '"ZZZZZ ZZZZ"', '"D MMMM YYYY"', '"mm m s ss"'),
]
DURATIONS = ['"1h"', '"10m"', '"-1h30m"', '"1.5h"', '"100ms"', '"36h"', '"x"', '"1us"', '"2562047h"']

_SIGNATURES = """
string: upper string | lower string | title string | trimspace string | chomp string | strrev string
string: trim string string | trimprefix string string | trimsuffix string string | substr string number number
string: replace string string string | replace string pattern string | indent number string | join string strings
string: base64encode string | base64decode encoded | urlencode string | md5 string | sha1 string | sha256 string
string: base64sha256 string | sha512 string | jsonencode any | yamlencode any | tostring scalar | basename string
string: dirname string | format layout scalar | format layout scalar scalar | format layout any | coalesce string string
string: regex pattern string | formatdate dates date | timeadd date duration | cidrhost network number
string: cidrnetmask network | cidrsubnet network number number | element strings number | lookup stringmap string string
string: uuidv5 namespace string | textdecodebase64 encoded charset | textencodebase64 string charset
string: base64sha512 string | nonsensitive hidden | one strings | coalesce any string | join string set
string: jsonencode strings | jsonencode stringmap | yamlencode stringmap | try string string
number: abs number | ceil number | floor number | log number number | max number number | min number number number
number: pow number number | signum number | parseint string number | length any | length string | sum numbers
number: index strings string | tonumber scalar | length strings | length set | length stringmap | timecmp date date
number: try number any | one numbers | tonumber any | sum any | max any number | coalesce any number | length any
bool: contains strings string | can any | alltrue bools | anytrue bools | tobool scalar | contains numbers number
bool: startswith string string | endswith string string | strcontains string string | can string | can number | can set
bool: contains set string | contains any any | alltrue any | tobool any | issensitive hidden
bool: try bool bool | can stringmap
strings: split string string | sort strings | reverse strings | distinct strings | compact strings
strings: concat strings strings | keys any | slice strings number number | regexall pattern string
strings: formatlist layout strings
strings: formatlist layout strings number | tolist strings | coalescelist strings strings | setproduct strings strings
strings: cidrsubnets network number number | flatten any | chunklist strings number | matchkeys strings strings strings
strings: values stringmap | values any | tolist set | sort set | split string string | reverse numbers | flatten strings
numbers: range number | range number number | range number number number | tolist numbers | distinct numbers
strings: distinct any | compact any | sort any | tolist any | try strings strings | keys stringmap
strings: coalescelist any strings
strings: setproduct set strings | slice any number number | matchkeys strings set strings
strings: regexall pattern any | split any any
numbers: values any | flatten any | range any | try numbers strings | tolist any
numbers: concat numbers numbers | slice numbers number number | reverse numbers | sort numbers
set: toset strings | setunion set set | setintersection set set | setsubtract set set
set: toset numbers | setproduct set set | toset any | setunion set any | setsubtract set any | setintersection any set
set: toset bools | try set strings
stringmap: zipmap strings strings | merge stringmap stringmap | merge any any | transpose listmap | tomap stringmap
stringmap: regex named string | jsondecode json | yamldecode yaml | tomap any | merge stringmap any | zipmap set strings
stringmap: try stringmap any | zipmap strings any | transpose any | coalesce stringmap any
any: jsondecode json | yamldecode yaml | try any any | csvdecode csv | lookup any string any | element any number
any: merge any any | coalesce any any | flatten any | keys any | values any | tolist any | toset any
any: concat any any | setproduct any any | reverse any | distinct any | length any | zipmap any any
any: one any | one set | lookup stringmap string any | lookup any string | element any any | ephemeralasnull any
any: nonsensitive any | nonsensitive hidden | tomap any | try any strings | coalescelist any any | formatlist layout any
any: chunklist any number | transpose any | slice any number number | index any any | sort any | compact any | sum any
"""

_SPECIAL: Mapping[str, list[str]] = {
    "pattern": PATTERNS,
    "layout": FORMATS,
    "network": NETWORKS,
    "date": DATES,
    "dates": LAYOUTS,
    "duration": DURATIONS,
    "encoded": ['"aGVsbG8="', '"YQ"', '"5pel5pys"', '"!!"', '""'],
    "charset": ['"UTF-8"', '"UTF-16LE"', '"ISO-8859-1"', '"UTF-16BE"'],
    "namespace": ['"dns"', '"url"', '"oid"', '"6ba7b810-9dad-11d1-80b4-00c04fd430c8"'],
    "named": ['"(?P<a>.)(?P<b>.*)"', '"(?P<word>[a-z]+)"', '"(?P<a>x)?(?P<b>.)"'],
    "bools": ["[]", "[true]", "[true, false]", '["true", true]', "[false, false]", '["x"]', "[null, true]"],
    "hidden": ['sensitive("a")', 'sensitive(["a", "b"])', 'sensitive({ a = "x" })', "sensitive(true)", '"a"'],
    "listmap": ['{ a = ["x", "y"], b = ["y"] }', "{}", "{ a = [] }", '{ b = ["1"], a = ["1", "2"] }'],
    "json": [
        r'"{\"a\": [1, 2.50, \"x\"], \"b\": null}"',
        '"[]"',
        '"{}"',
        r'"\"text\""',
        '"1e2"',
        '"tru"',
        r'"[1, \"a\", true, {\"k\": {}}]"',
        r'"{\"b\": 1, \"a\": 1}"',
        '"null"',
    ],
    "yaml": [
        r'"a: 1\nb: [x, y]\n"',
        r'"- 1\n- two\n- true\n- null\n- ~\n"',
        '"{}"',
        r'"x: |\n  a\n  b\n"',
        r'"a: &x 1\nb: *x\n"',
        '"0x10"',
        '"yes"',
        '"1.50"',
        '"2021-01-01"',
        r'"a: b: c"',
    ],
    "csv": [r'"a,b\n1,2\n3,4\n"', r'"a\n"', r'"a,b\n\"x,y\",z\n"', r'"a,a\n1,2\n"', r'"a,b\n1\n"', r'"a,b\r\n1,2\r\n"'],
}


def _signatures() -> dict[str, list[list[str]]]:
    table: dict[str, list[list[str]]] = {}
    for line in _SIGNATURES.strip().splitlines():
        result, _, calls = line.partition(": ")
        table.setdefault(result, []).extend(call.split() for call in calls.split(" | "))
    return table


CALLS = _signatures()
_CATCHING = [
    "try(%k, %a)",
    "try(%a, %k)",
    "can(%a)",
    "can(%k)",
    "(can(%a) ? %k : %a)",
    "try(%k)",
    "(%k == %a || can(%k))",
    "try(%b ? %k : %a, %k)",
    "try(%b ? %a : %k, %a, %k)",
    "can(%b ? %k : %a)",
    "try(%a.a, %a[0], %k)",
    'try(%a["a"].b, %k)',
    "can(%a.a)",
    "can(%a[%n])",
    "can([for x in %a : x.a])",
    "try([for k, v in %a : v if k != %k], %k)",
    "try({ for k, v in %a : k => v }, %k)",
    'can("%{ for x in %a }${x}%{ endfor }")',
    'try("%{ if %b }${%k}%{ else }${%a}%{ endif }", %k)',
    "can(%a || %b)",
    "can(%n + %a)",
    "(can(%a) && %b)",
    "try(jsondecode(jsonencode(%a)), %k)",
    "can(%k == %a)",
    "try(%a[*].a, %k)",
    "can(try(%a, %k))",
    "try(can(%a) ? %k : null, %a)",
]
"""What tells whether something has a value: `%k` is of the kind wanted, `%a` of any, `%b` a bool, `%n` a number."""

_SHAPES: dict[str, list[str]] = {
    "string": [
        '"%{ if %b }${%s}%{ else }${%s}-${%n}%{ endif ~}  x"',
        '"%{ for k, v in %m }${k}=${v},%{ endfor }"',
        '"%{ for x in %t ~} ${x} %{ endfor ~}"',
        '"%{ for x in %a }[${x}]%{ endfor }"',
        '"${%a}-${%s}"',
        "jsonencode(%a)",
        "jsonencode({ a = %s, b = %l })",
        "(%b ? %s : %n)",
        "(%b ? %s : null)",
    ],
    "number": ["(%b ? %n : %n)", "(%a + %n)", "(%n % %n)", "length([for x in %a : x])", "length(jsonencode(%a))"],
    "bool": [
        *("(%a == null)", "(%a != null)", "(null == %s)", "(%b && %b)", "(%b || %b)", "(%a && %b)", "!%a", "!%b"),
        *("(%s == %s)", "(%t == %t)", "(%m == %m)", "(%l != %l)", "(%b ? %b : %b)", "(%n < %a)", "(%b == %a)"),
    ],
    "strings": [
        *("%a[*]", "[for x in %t : x]", "[for x in %t : x if x != %s]", "[for x in %l : x if %b]", "%l[*]"),
        *("[for k, v in %a : k]", "[for k, v in %m : v if v != %s]", "concat(%t...)", "concat([%l, %l]...)"),
        *("(%b ? %l : [])", "(%b ? %l : %t)", "(%b ? [%s] : %l)", "flatten([%l, %s, [%l]])", "concat(%l, [%s])"),
        *("[%s, null]", "tolist([%s, %s])", "sort([%s, %s])", "[for x in %a : x.a]", "compact([%s, %s, null])"),
    ],
    "numbers": [
        "[for x in %a : x * 2]",
        "[%n, %n]",
        "(%b ? %n0 : [])",
        "[for k, v in %l : k]",
        "[for s in %l : length(s)]",
    ],
    "set": [
        "toset([%s, %s])",
        "toset([for x in %a : x])",
        "(%b ? %t : toset([]))",
        "(%b ? %t : %l)",
        "setunion(%t, [%s])",
    ],
    "stringmap": [
        *("{ for x in %t : x => x }", "{ for k, v in %m : k => v if v != %s }", "{ for x in %l : x => x... }"),
        *("(%b ? %m : {})", "(%b ? %m : { a = %s })", "merge(%m, { a = %s })", "merge([%m, %m]...)", "{ a = null }"),
        *("tomap({ a = %s, b = %s })", "{ for k, v in %a : k => v }", "{ (%s) = %s }", "jsondecode(jsonencode(%m))"),
        *("yamldecode(yamlencode(%m))", "merge(%m, null)", "merge({ a = 1 }, %a)", "{ a = %s, b = null }"),
    ],
    "any": [
        *("%a[*].a", "%a.*.a", "%a[*][0]", "%a.a", '%a["a"]', "%a[%n]", "%l[%n]", "%m[%s]", "[for x in %a : x]"),
        *("(%b ? %a : null)", "(%b ? { a = %a } : {})", "(%b ? { a = %a } : { a = %a })", "(%b ? [%a] : [])", "null"),
        *("(%b ? [%a] : [%a, %a])", "(%b ? { a = %s } : { b = %s })", "jsondecode(jsonencode(%a))", "max(%n0...)"),
        *("yamldecode(yamlencode(%a))", "jsondecode(%s)", 'jsondecode("[${jsonencode(%a)}]")', "yamldecode(%s)"),
        *("[for x in %a : { a = x }][*].a", "{ for k, v in %a : k => v... }", "(%b ? %t : %l)", "tolist([%a, %a])"),
        *("[%a, %a][%n]", "{ a = %a, b = %a }.a", "{ a = %a }[%s]", "element([%a, %a], %n)", "coalesce(null, %a)"),
        *("one([%a])", "one([for x in %a : x if %b])", "lookup({ a = %a }, %s, %a)", "setunion(toset([%a]), %t)"),
        *("(%b ? %n : %s)", "(%b ? %b : %s)", "(%b ? 1 : %a)", '(%b ? "a" : %a)', "(%b ? [] : %a)", "(%b ? {} : %a)"),
    ],
}
"""More forms of each kind: besides these `%s` is text, `%l` a list, `%n0` one of numbers, `%t` a set, `%m` a map."""

_PART = re.compile("%(n0|[kabnsltm])(?![a-z0-9])")
_PARTS = {
    "n0": "numbers",
    "a": "any",
    "b": "bool",
    "n": "number",
    "s": "string",
    "l": "strings",
    "t": "set",
    "m": "stringmap",
}

KINDS = ["string", "number", "bool", "strings", "numbers", "set", "stringmap", "any"]


UNKNOWN = {
    "string": ["u.text", "u.id", '"x-${u.id}"', '"${u.text}/y"', "u.any", "sensitive(u.text)"],
    "number": ["length(u.list)", "u.any", "length(u.text)", "u.number", "sensitive(u.number)"],
    "bool": ['u.text == "a"', "u.any", "u.id == u.text", "u.bool", "sensitive(u.bool)"],
    "strings": ["u.list", "[u.id, u.text]", '["a", u.id]', "[u.any]", "u.any", "sensitive(u.list)"],
    "numbers": ["[1, u.number]", "u.any"],
    "set": ["sensitive(toset(u.list))", "toset(u.list)", "toset([u.id])", 'toset(["a", u.text])', "u.any"],
    "stringmap": ["u.map", "{ a = u.text }", "{ a = u.id, b = 1 }", "u.any", "{ (u.id) = 1 }", "sensitive(u.map)"],
    "any": ["u.any", "u.list", "u.map", "u.id", "sensitive(u.any)", "[sensitive(u.any)]"],
}
"""Leaves in which something is not known, of which `u` has a value of each kind."""

WORLDS = [
    '{ text = "", id = "a", any = null, number = 0, bool = true, list = tolist([]), map = tomap({}) }',
    '{ text = "a", id = "b", any = "a", number = 1, bool = false, list = tolist(["a"]), map = tomap({ a = "a" }) }',
    '{ text = "b", id = "vpc-1", any = 1, number = 2, bool = true, list = ["b", "a"], map = { a = "", b = "1" } }',
    '{ text = "1", id = "1", any = ["a"], number = -1, bool = true, list = ["1", "1"], map = { c = "c" } }',
    '{ text = "true", id = "true", any = { a = "x" }, number = 0.5, bool = false, list = ["", "x"], map = { k = "" } }',
    '{ text = "null", id = "10.0.0.0/16", any = true, number = 100, bool = true, list = ["true"], map = { b = "b" } }',
    '{ text = "[]", id = "[]", any = [], number = -7, bool = false, list = ["a", "b", "c"], map = { key = "1" } }',
    '{ text = "-x", id = "é", any = {}, number = 1e21, bool = true, list = ["5"], map = { a = "b", b = "a" } }',
    '{ text = null, id = "a", any = null, number = null, bool = null, list = null, map = null }',
    '{ text = "a b", id = "5", any = [[1], "a"], number = 3, bool = false, list = ["a", "a"], map = { "1" = "x" } }',
]
"""What stands for the unknown: nothing, text like a number, a bool, a network or JSON, collections of all sizes."""


class Generator:
    """Expressions of a kind, nested a few levels deep; `unknown` is the share of the leaves that are not known."""

    def __init__(self, seed: int, unknown: float = 0) -> None:
        self._random = random.Random(seed)
        self._unknown = unknown
        self._forms: Mapping[str, list[Callable[[int], str]]] = {
            "string": [self._template, self._conditional_string],
            "number": [self._arithmetic, self._negative],
            "bool": [self._comparison, self._equality, self._logic],
            "strings": [self._for_list, self._splat, self._tuple],
            "numbers": [self._for_numbers],
            "set": [],
            "stringmap": [self._for_map, self._object],
            "any": [self._index, self._conditional, self._attribute, self._mixed, self._nested_for],
        }

    def expression(self) -> str:
        """Return the next expression."""
        return self.of(self._random.choice(KINDS), self._random.choice([1, 1, 2, 2, 3]))

    def of(self, kind: str, depth: int) -> str:
        """Return an expression of a kind; one in twelve is of another, which may be an error."""
        chosen = self._random
        if kind in _SPECIAL:
            return chosen.choice(_SPECIAL[kind])
        if kind == "scalar":
            return self.of(chosen.choice(["string", "number", "bool"]), depth)
        if chosen.random() < 1 / 12:
            kind = chosen.choice(KINDS)
        if depth <= 0:
            return self._leaf(kind)
        forms = self._forms[kind]
        if chosen.random() < (0.2 if self._unknown else 0.05):
            return self._filled(chosen.choice(_CATCHING), kind, depth - 1)
        if chosen.random() < 0.4:
            at = chosen.randrange(len(forms) + len(_SHAPES[kind]))
            return (
                forms[at](depth - 1)
                if at < len(forms)
                else self._filled(_SHAPES[kind][at - len(forms)], kind, depth - 1)
            )
        name, *arguments = chosen.choice(CALLS[kind])
        return f"{name}({', '.join(self.of(argument, depth - 1) for argument in arguments)})"

    def _filled(self, shape: str, kind: str, depth: int) -> str:
        return _PART.sub(lambda part: self.of(_PARTS.get(part[1], kind), depth), shape)

    def _leaf(self, kind: str) -> str:
        chosen = self._random
        if self._unknown and chosen.random() < self._unknown:
            return chosen.choice(UNKNOWN[kind])
        match kind:
            case "string":
                return chosen.choice(STRINGS)
            case "number":
                return chosen.choice(NUMBERS)
            case "bool":
                return chosen.choice(["true", "false"])
            case "strings" | "set":
                items = ", ".join(chosen.choices(STRINGS, k=chosen.randint(0, 4)))
                return f"toset([{items}])" if kind == "set" else f"[{items}]"
            case "numbers":
                return f"[{', '.join(chosen.choices(NUMBERS, k=chosen.randint(0, 4)))}]"
            case "stringmap":
                keys = chosen.sample(["a", "b", "c", '"x y"', '"1"', "key"], k=chosen.randint(0, 3))
                return "{" + ", ".join(f"{key} = {chosen.choice(STRINGS)}" for key in keys) + "}"
            case _:
                return self._leaf(chosen.choice(KINDS[:-1])) if chosen.random() < 0.9 else "null"

    def _template(self, depth: int) -> str:
        shapes = [
            '"a${%s}b"',
            '"${%s}"',
            '"%%{ if %s }y%%{ else }n%%{ endif }"',
            '"%%{ for x in %s }[${x}]%%{ endfor }"',
        ]
        shape = self._random.choice(shapes)
        kind = "bool" if " if " in shape else "strings" if " for " in shape else "scalar"
        return shape % self.of(kind, depth)

    def _conditional_string(self, depth: int) -> str:
        return f"({self.of('bool', depth)} ? {self.of('string', depth)} : {self.of('string', depth)})"

    def _arithmetic(self, depth: int) -> str:
        return f"({self.of('number', depth)} {self._random.choice('+-*/%')} {self.of('number', depth)})"

    def _negative(self, depth: int) -> str:
        return f"-{self.of('number', depth)}"

    def _comparison(self, depth: int) -> str:
        operator = self._random.choice(["<", ">", "<=", ">="])
        return f"({self.of('number', depth)} {operator} {self.of('number', depth)})"

    def _equality(self, depth: int) -> str:
        kind = self._random.choice(KINDS)
        return f"({self.of(kind, depth)} {self._random.choice(['==', '!='])} {self.of(kind, depth)})"

    def _logic(self, depth: int) -> str:
        return f"(!{self.of('bool', depth)} {self._random.choice(['&&', '||'])} {self.of('bool', depth)})"

    def _for_list(self, depth: int) -> str:
        body = self._random.choice(["x", "upper(x)", '"${i}-${x}"', "[i, x]", "length(x)", "{ k = x }"])
        condition = self._random.choice(["", "", ' if x != ""', " if i != 0"])
        return (
            f"[for i, x in {self.of(self._random.choice(['strings', 'stringmap', 'set']), depth)} : {body}{condition}]"
        )

    def _for_numbers(self, depth: int) -> str:
        return f"[for n in {self.of('numbers', depth)} : {self._random.choice(['n * 2', 'n + 0.1', 'n % 3', '-n'])}]"

    def _for_map(self, depth: int) -> str:
        body = self._random.choice(
            ["k => v", "v => k", '"${k}!" => v', "v => k...", "lower(v) => [k]...", "k => { v = v }"]
        )
        return f"{{for k, v in {self.of(self._random.choice(['stringmap', 'strings', 'set']), depth)} : {body}}}"

    def _nested_for(self, depth: int) -> str:
        return f"[for a in {self.of('strings', depth)} : [for b in {self.of('numbers', depth)} : [a, b]]]"

    def _splat(self, depth: int) -> str:
        shape = self._random.choice(
            ["[{ a = %s }, { a = %s }][*].a", "[[%s], [%s]][*][0]", "[{ a = { b = %s } }, { a = { b = %s } }].*.a.b"]
        )
        return shape % (self.of("string", depth), self.of("string", depth))

    def _tuple(self, depth: int) -> str:
        return f"[{self.of('string', depth)}, {self.of('string', depth)}]"

    def _object(self, depth: int) -> str:
        return f"{{ a = {self.of('string', depth)}, (lower({self.of('string', 0)})) = {self.of('string', depth)} }}"

    def _index(self, depth: int) -> str:
        if self._random.random() < 0.5:
            key = self._random.choice(["0", "1", "-1", '"0"', "1.5", "0.0"])
            return f"{self.of('strings', depth)}[{key}]"
        key = self._random.choice(['"a"', '"b"', "1", "true"])
        return f"{self.of('stringmap', depth)}[{key}]"

    def _attribute(self, depth: int) -> str:
        return f"({self.of('stringmap', depth)}).{self._random.choice('abc')}"

    def _conditional(self, depth: int) -> str:
        return f"({self.of('bool', depth)} ? {self.of('any', depth)} : {self.of('any', depth)})"

    def _mixed(self, depth: int) -> str:
        shape = self._random.choice(["[%s, %s]", "{ a = %s, b = %s }", "[[%s], %s]", "{ a = [%s], b = { c = %s } }"])
        return shape % (self.of("any", depth), self.of("any", depth))


def expressions(number: int, seed: int = 20211114, unknown: float = 0) -> Iterator[str]:
    """Yield distinct expressions."""
    generator = Generator(seed, unknown)
    seen: set[str] = set()
    while len(seen) < number:
        expression = generator.expression()
        if expression not in seen and "\n" not in expression and (not unknown or "u." in expression):
            seen.add(expression)
            yield expression
