#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""What the man pages say beside what the source says: a line for each difference.

usage: tests/documents/facts.py keys|elements       of alsa-headroom(5)
       tests/documents/facts.py options TOOL HELP   of a tool's page; HELP: what --help prints
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def source(name):
    return (ROOT / name).read_text(encoding="utf-8")


def page(name):
    return source(f"scripts/man/{name}")


def part(text, title):
    """The part of a page under a title of .Sh or .Ss."""
    return re.split(r"^\.S[hs] ", text.split(title + "\n")[1], flags=re.M)[0]


def described(text, macro):
    """Of a list's items that begin so: [(rest of the line, next line)]."""
    return re.findall(rf"^\.It {macro} (.+)\n(.+)$", text, re.M)


def compare(what, wanted, found):
    """Both: [(name, text)] in order; a wanted text may be a pattern."""
    names, there = [name for name, _ in wanted], [name for name, _ in found]
    for name in names:
        if name not in there:
            yield f"{what} {name} is missing in the page"
    for name in there:
        if name not in names:
            yield f"{what} {name} is in the page only"
    if names != there and sorted(names) == sorted(there):
        yield f"{what}s are in another order"
    texts = dict(wanted)
    for name, text in found:
        if name in texts and not re.fullmatch(texts[name], text):
            yield f"{what} {name}: '{text}' in the page, not '{texts[name]}'"


# Configuration.

def number(text):
    """The value of a constant of the source."""
    if re.fullmatch(r"\d+u?", text):
        return int(text.rstrip("u"))
    files = ("plugin/pcm_config.c", "core/backpressure.h", "core/health.h", "core/health_page.h")
    found = re.search(rf"#define {text}\s+(?:(\d+)u?|\((\d+) << (\d+)\))\s",
                      "".join(map(source, files)))
    return int(found[1]) if found[1] else int(found[2]) << int(found[3])


def listed(words):
    return ", ".join(words[:-1]) + " or " + words[-1]


def pcm_keys():
    text = source("plugin/pcm_config.c")
    defaults = dict(re.findall(r"^\t\t\.(\w+) = (\w+),$", text, re.M))
    choices = {name: re.findall(r'"(\w+)"', items) for name, items in
               re.findall(r"(\w+_choices)\[\] = \{(.*?)\};", text)}
    whether = re.search(r'complain\(config, "card_elements", node, "(.*?)"\)', text)[1]
    by_hand = {
        "slave": "A name or a definition of a PCM; required.",
        "name": f"1 to {number('HR_PAGE_NAME_MAX')} bytes; default the name of the PCM.",
        "card_elements": listed(whether.split(", ")) + "; default no.",
        "ipc_perm": f"An octal mode; default {defaults['ipc_perm']}.",
        "ipc_gid": "A name or number; default the group of the process.",
    }
    for key in re.findall(r'strcmp\(key, "(\w+)"\) == 0\)\n\t\treturn', text):
        if key in by_hand:
            yield ("slave.pcm" if key == "slave" else key), by_hand[key]
        if key == "slave":
            yield from ranges(text, r'"(slave\.\w+)"', defaults)
        yield from ranges(text, rf'strcmp\(key, "({key})"\).*\n.*key', defaults)
        for name, field in re.findall(rf'"{key}"\) == 0\)\n.*parse_bool_choice\(.*?(\w+_choices),'
                                      r"\s+&config->(\w+)\)", text):
            default = choices[name][defaults.get(field) == "true"]
            yield key, f"{listed(choices[name])}; default {default}."


def ranges(text, key, defaults):
    for name, least, most, field in re.findall(
            key + r", (\w+),\s+(\w+),\s+&config->(\w+)\)", text):
        yield name, (f"{number(least)} to {number(most)}; "
                     f"default {number(defaults.get(field, '0'))}.")


def ctl_keys():
    texts = {
        "name": f"1 to {number('HR_PAGE_NAME_MAX')} bytes; default the name of the control device.",
        "user": "A name or number; default the user that runs the program.",
    }
    for key in re.findall(r'if \(!strcmp\(key, "(\w+)"\)\) \{', source("plugin/ctl_config.c")):
        yield key, texts.get(key, "")


def differences_of_keys():
    text = page("alsa-headroom.5")
    for title, wanted in (("Keys of a PCM", pcm_keys()), ("Keys of a control device", ctl_keys())):
        found = [(name.split()[0], line) for name, line in described(part(text, title), "Cm")]
        wanted = sorted(wanted)
        yield from compare("key", wanted, sorted(found))
        # The line that a wrong key gets has them all, too.
        if title == "Keys of a PCM":
            known = re.search(r"known: (slave, .*?)\",\n", source("plugin/pcm_config.c"), re.S)[1]
            known = re.sub(r'"\s+"', "", known).split(", ")
            have = [name for name, _ in wanted if "." not in name] + ["slave"]
            yield from (f"key {name}: in one of source and its message only"
                        for name in set(known) ^ set(have))


# Elements.

KINDS = {"INT": "INTEGER", "INT64": "INTEGER64", "BOOL": "BOOLEAN", "ENUM": "ENUMERATED"}


def elements():
    text = source("plugin/elements.c")
    rows = re.findall(r'^\tHR_(\w+)\("(.+?)", (.*), (LATER|AT_ONCE|SETTING\(\w+\))\),$', text, re.M)
    for kind, name, rest, how in rows:
        pattern = KINDS[kind]
        words = rest.split(", ")
        if kind == "INT" and words[:2] != ["0", "INT_MAX"]:
            pattern += f" {words[0]} to {words[1]}"
        if kind == "ENUM":
            items = re.search(rf"{words[0]}\[\] = \{{(.*?)\}};", text, re.S)[1]
            pattern += " " + ", ".join(re.findall(r'"(\w+)"', items))
        pattern += "(, [^;,]+)?" if kind.startswith("INT") else ""
        pattern += "; told at once" if how != "LATER" else ""
        pattern += "; can be set" if how.startswith("SETTING") else ""
        yield name, pattern + r"\."


def differences_of_elements():
    text = part(page("alsa-headroom.5"), "CONTROL ELEMENTS")
    yield from compare("element", list(elements()), described(text, "Sy"))


# Options.

def differences_of_options(tool, help_file):
    text = page(tool + ".1")
    shown = part(text, "OPTIONS")
    synopsis = re.findall(r"\bFl (\S+)", part(text, "SYNOPSIS"))
    in_page = [line.replace(" ,", ",").replace("Ar ", "").replace("Fl ", "-") for line in
               re.findall(r"^\.It (Fl .*)$", shown, re.M)]
    printed = pathlib.Path(help_file).read_text(encoding="utf-8")
    in_help = [line.strip() for line in re.findall(r"^  +(-.+?)(?:  |$)", printed, re.M)]
    yield from compare("option", [(option, "") for option in sorted(in_help)],
                       [(option, "") for option in sorted(in_page)])
    for option in in_page:
        first = option.split()[0].rstrip(",")[1:]
        if first not in synopsis and "--help" not in option:
            yield f"option {option} is not in the synopsis"


def main():
    what, *arguments = sys.argv[1:]
    differences = {"keys": differences_of_keys, "elements": differences_of_elements,
                   "options": differences_of_options}[what]
    print("\n".join(differences(*arguments)))


main()
