"""What a hostile pull request writes into names, values and files, by what it is meant to do where it is shown.

Sources: ECMA-48, "Control functions"; Unicode Standard Annex 9, "Directional Formatting Characters"; Unicode Technical
Standard 55, "Unicode Source Code Handling"; GitHub Docs, "Workflow commands for GitHub Actions"; Azure Pipelines
documentation, "Logging commands"; TeamCity documentation, "Service messages"; OWASP, "CSV Injection" and "Cross Site
Scripting Prevention"; GitHub Flavored Markdown Spec; XML 1.0, "Characters"; RFC 3986, 3.2.1, "User Information".
"""

from __future__ import annotations

from collections.abc import Mapping

CANARY = "canary4711"
"""The password in each address that has one."""

_TEXTS: Mapping[str, str] = {
    # what controls a terminal
    "colour": "\x1b[31mBOO",
    "clear": "BOO\x1b[2J\x1b[H",
    "title": "\x1b]0;BOO\x07",
    "link": "\x1b]8;;https://evil.example\x1b\\BOO\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;Qk9P\x07BOO",
    "device string": "\x1bP1$tBOO\x1b\\",
    "reset": "\x1bcBOO",
    "c1 sequence": "\x9b31mBOO",
    "c1 system command": "\x9d0;BOO\x9c",
    "next line": "BOO\x85::error::BOO",
    "bell": "BOO\x07",
    "null": "BOO\x00b",
    "backspace": "BOO\x08\x08\x08",
    "return": "BOO\r::add-mask::BOO",
    "form feed": "BOO\x0c::error::BOO",
    "vertical tab": "BOO\x0b::error::BOO",
    "file separator": "BOO\x1c::error::BOO",
    "delete": "BOO\x7f",
    "substitute": "BOO\x1a",
    # what turns letters round, or is not seen
    "override": "\u202eBOO.exe",
    "embedding": "\u202bBOO\u202c",
    "isolate": "\u2066BOO\u2069",
    "isolate to the right": "\u2067BOO",
    "mark": "\u200fBOO",
    "Arabic mark": "\u061cBOO",
    "zero width space": "BOO\u200bx",
    "zero width joiner": "BOO\u200dx",
    "word joiner": "BOO\u2060x",
    "order mark": "\ufeffBOO",
    "soft hyphen": "BOO\xadx",
    "filler": "BOO\u3164x",
    "grapheme joiner": "BOO\u034fx",
    "Mongolian separator": "BOO\u180ex",
    "tags": "BOO\U000e0048\U000e0049\U000e007f",
    "variation selectors": "BOO\U000e0148\U000e0149\ufe0f\ufe01",
    "annotation": "BOO\ufff9x\ufffb",
    "musical": "BOO\U0001d173x",
    "invisible operator": "BOO\u2063x",
    # what ends a line
    "new line": "BOO\n::error::BOO",
    "line separator": "BOO\u2028::error::BOO",
    "paragraph separator": "BOO\u2029::error::BOO",
    # what the runner of a workflow takes for a command
    "error": "::error file=x::BOO",
    "set-output": "BOO\n    ::set-output name=x::BOO",
    "add-mask": "BOO\n\t::add-mask::BOO",
    "stop-commands": "::stop-commands::BOO",
    "wide blank": "BOO\n\u3000::warning::BOO",
    "no-break space": "\xa0::group::BOO",
    "old command": "##[group]BOO",
    "Azure": "##vso[task.setvariable variable=x]BOO",
    "Azure in capitals": "BOO ##VSO[task.complete]",
    "TeamCity": "BOO\n##teamcity[buildStatus text='x']",
    "GitLab section": "section_start:1:BOO\r\x1b[0K",
    # what Markdown and HTML take for theirs
    "script": "<script>alert('BOO')</script>",
    "image": "<img src=x onerror=alert('BOO')>",
    "closing": "BOO</details></td></table></pre><h1>x",
    "style": "</style><style>*{display:none}</style>BOO",
    "comment": "BOO<!-- x",
    "attribute": 'BOO" onmouseover="alert(1)" x=\'',
    "character reference": "&#60;b&#62;BOO&lt;b",
    "backticks": "BOO````\n# x\n```",
    "tildes": "BOO\n~~~\n# x",
    "mention": "@evil-team BOO",
    "issue": "BOO #4711 GH-12",
    "Markdown link": "[BOO](https://evil.example)",
    "Markdown image": "![BOO](https://evil.example/x.png)",
    "script address": "[BOO](javascript:alert(1))",
    "reference": "[BOO]: https://evil.example",
    "table": "BOO | x |\n|---|---|",
    "heading": "BOO\n\n# x\n\n---",
    "task": "BOO\n- [x] approved",
    # what other readers take for theirs
    "rich": "[red]BOO[/red][link=https://evil.example]x[/link]",
    "emoji": "BOO :bomb:",
    "formula": "=cmd|' /C calc'!A0 BOO",
    "formula plus": "+BOO",
    "formula minus": "-BOO",
    "formula at": "@SUM(BOO)",
    "formula tab": "\t=BOO",
    "formula line": "\n=BOO",
    "wide formula": "\uff1d1+1 BOO",
    "quotes": 'BOO","x\n\'y',
    "script string": "BOO</script>';\"-alert(1)-\\",
    "JSON": 'BOO"},{"x":1}',
    "XML": "BOO]]><x/>&x;",
    "XML character": "BOO\ufffe\uffff\x01",
    "surrogate": "BOO\ud800x",
    "template": "BOO ${x} $x {x} %s {{x}}",
    "long": "BOO" + "A" * 5000,
    # addresses with passwords
    "user": f"https://user:{CANARY}@example.com/BOO",
    "user alone": f"https://{CANARY}@example.com/BOO",
    "two signs": f"https://user:p@{CANARY}@example.com/BOO",
    "git user": f"https://git@x:{CANARY}@example.com/BOO",
    "module address": f"git::ssh://user:{CANARY}@example.com/BOO.git?ref=1",
}


def marker(at: int) -> str:
    """Return the word by which a payload is found again."""
    return f"boo{at:02}q"


PAYLOADS: Mapping[str, str] = {name: text.replace("BOO", marker(at)) for at, (name, text) in enumerate(_TEXTS.items())}
"""By what they are meant to do; each has a word of its own in it."""
MARKERS: Mapping[str, str] = {name: marker(at) for at, name in enumerate(PAYLOADS)}
