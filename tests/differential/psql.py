"""Cuts scripts for psql into the texts psql sends, as its own scanner (`psqlscan.l`) does.

Backslash commands and the data of COPY are dropped. Of variables only the quoted forms, `:'x'` and
`:"x"`, are filled in.
"""

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""(?P<line>--[^\n\r]*)
    |(?P<open>/\*)
    |(?P<dollar>\$(?:[A-Za-z_\x80-\uffff][A-Za-z0-9_\x80-\uffff]*)?\$)
    |(?P<escape>[eE]'(?:[^'\\]|\\.|'')*')
    |(?P<plain>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<variable>(?<!:):(?:'\w+'|"\w+"))
    |(?P<word>[A-Za-z_\x80-\uffff][A-Za-z0-9_$\x80-\uffff]*)
    |(?P<slash>\\(?:;|[^\s;\\]*))
    |(?P<other>.)""",
    re.S | re.X,
)
LAX_STRING = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.S)
# Backslash commands that send what was typed so far.
SENDS = re.compile(r"\\(g|gx|gset|gexec|gdesc|bind|crosstabview|watch)(?![a-z_])")
COMMENT = re.compile(r"(/\*)|(\*/)")
FROM_STDIN = re.compile(r"^\s*copy\b.*\bfrom\s+stdin\b", re.I | re.S)
SETS_STRINGS = re.compile(r"^\s*set\s+standard_conforming_strings\s*(?:to|=)\s*'?(on|off)", re.I)


@dataclass
class Text:
    sql: str
    standard_strings: bool


def split(script):
    """The texts of a script, in order."""
    texts = []
    state = {"standard": True}
    buffer = []
    depth = 0
    body = 0
    words = []
    at = 0

    def flush():
        nonlocal depth, body
        sql = "".join(buffer).strip()
        buffer.clear()
        words.clear()
        depth = body = 0
        if not strip_comments(sql):
            return None
        texts.append(Text(sql, state["standard"]))
        setting = SETS_STRINGS.match(strip_comments(sql))
        if setting:
            state["standard"] = setting.group(1).lower() == "on"
        return sql

    def skip_data(at):
        end = re.compile(r"^\\\.\r?\n?", re.M).search(script, at)
        return end.end() if end else len(script)

    while at < len(script):
        match = TOKEN.match(script, at)
        kind, token = match.lastgroup, match.group()
        if kind == "plain" and not state["standard"]:
            match = LAX_STRING.match(script, at) or match
            token = match.group()
        at = match.end()
        if kind == "open":
            at = end_of_comment(script, match.start())
            buffer.append(script[match.start() : at])
        elif kind == "dollar":
            end = script.find(token, at)
            at = len(script) if end < 0 else end + len(token)
            buffer.append(script[match.start() : at])
        elif kind == "variable":
            buffer.append(token[1:])
        elif kind == "slash" and token == "\\;":
            buffer.append(";")
        elif kind == "slash":
            line_end = script.find("\n", at)
            at = len(script) if line_end < 0 else line_end
            sent = None
            if SENDS.match(token):
                sent = flush()
            elif token in ("\\r", "\\reset"):
                buffer.clear()
            elif token == "\\copy" and re.search(r"from\s+stdin", script[match.end() : at], re.I):
                at = skip_data(at + 1)
            if sent and FROM_STDIN.match(strip_comments(sent)):
                at = skip_data(at + 1)
        elif kind == "word":
            buffer.append(token)
            word = token.lower()
            words.append(word)
            first = words[0] == "create" and any(
                w in ("function", "procedure") for w in words[1:4]
            )
            if first and depth == 0:
                if word == "begin":
                    body += 1
                elif word == "case" and body:
                    body += 1
                elif word == "end" and body:
                    body -= 1
        else:
            buffer.append(token)
            if token == "(":
                depth += 1
            elif token == ")":
                depth = max(0, depth - 1)
            elif token == ";" and depth == 0 and body == 0:
                sent = flush()
                if sent and FROM_STDIN.match(strip_comments(sent)):
                    line_end = script.find("\n", at)
                    at = skip_data(len(script) if line_end < 0 else line_end + 1)
    flush()
    return texts


def end_of_comment(script, at):
    depth = 0
    for mark in COMMENT.finditer(script, at):
        depth += 1 if mark.group(1) else -1
        if depth == 0:
            return mark.end()
    return len(script)


def strip_comments(sql):
    """Without comments and semicolons at its start."""
    while True:
        sql = sql.lstrip(" \t\r\n;")
        if sql.startswith("--"):
            sql = sql.partition("\n")[2]
        elif sql.startswith("/*"):
            sql = sql[end_of_comment(sql, 0) :]
        else:
            return sql
