# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The headroom authors
"""Says what is wrong with a page: tags that do not fit, and what it would have to load."""
import sys
from html.parser import HTMLParser

ALONE = {"meta", "rect", "line", "path", "br"}


class Checker(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []
        self.ids = set()
        self.links = set()

    def handle_starttag(self, tag, attributes):
        if tag not in ALONE or (tag == "rect"):
            self.open.append(tag)
        for key, value in attributes:
            if key == "src" or (key == "href" and not value.startswith("#")):
                print(f"<{tag} {key}={value}> is not in the page")
            if key == "href":
                self.links.add(value[1:])
            if key == "id" and value in self.ids:
                print(f"the id {value} is there twice")
            if key == "id":
                self.ids.add(value)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            print(f"</{tag}> at line {self.getpos()[0]} does not fit")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    checker = Checker()
    checker.feed(text)
    for tag in checker.open:
        print(f"<{tag}> is not closed")
    for target in checker.links - checker.ids:
        print(f"the link to {target} leads nowhere")
    for outside in ("http:", "https:", "@import", "url("):
        if outside in text:
            print(f"there is '{outside}' in the page")
    for wanted in ("prefers-color-scheme: dark", "max-width: 620px", 'lang="en"', "viewport"):
        if wanted not in text:
            print(f"there is no '{wanted}' in the page")


main()
