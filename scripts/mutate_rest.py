#!/usr/bin/env python3
"""Mutate what mutmut leaves alone, one change at a time: constants, defaults and properties.

    scripts/mutate_rest.py FILE... -- PYTEST ARGUMENTS

A number grows by one, a text gets longer, a member is left out, an operator becomes its
opposite. The change is made while the module is imported; no file is touched. Prints what
survives, and at last how many there were. PROCESSES run side by side (2).
"""

import ast
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path

OPPOSITE = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.And: ast.Or, ast.Or: ast.And,
            ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
            ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Lt: ast.GtE, ast.Gt: ast.LtE}  # fmt: skip


class Sites(ast.NodeVisitor):
    """Finds every change: its line, its words, and what makes it in the tree."""

    def __init__(self):
        self.found = []

    def visit_FunctionDef(self, node):
        """Look into a property only: mutmut does plain functions."""
        for statement in node.body if node.decorator_list else ():
            self.visit(statement)

    def visit_ClassDef(self, node):
        """Look past decorators and bases."""
        for statement in node.body:
            self.visit(statement)

    def visit_Assign(self, node):
        """Look past the names, and past what a module exports."""
        if ast.unparse(node.targets[0]) != "__all__":
            self.visit(node.value)

    def visit_AnnAssign(self, node):
        """Look past the annotation."""
        if node.value:
            self.visit(node.value)

    def visit_Expr(self, node):
        """Look past docstrings."""
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Subscript(self, node):
        """Look past the types of an alias."""
        self.visit(node.value)

    def visit_Constant(self, node):
        """Change a value."""
        other = changed(node.value)
        if other != node.value:
            self.add(node, f"{node.value!r} -> {other!r}", partial(setattr, node, "value", other))

    def generic_visit(self, node):
        """Change members and operators."""
        for at, member in enumerate(getattr(node, "elts", ())):
            self.add(node, f"without {ast.unparse(member)}", partial(node.elts.pop, at))
        if type(getattr(node, "op", None)) in OPPOSITE:
            self.turn(node, node.op, partial(setattr, node, "op"))
        if isinstance(node, ast.Compare) and type(node.ops[0]) in OPPOSITE:
            self.turn(node, node.ops[0], partial(node.ops.__setitem__, 0))
        super().generic_visit(node)

    def turn(self, node, operator, put):
        """Keep the change to an operator's opposite."""
        other = OPPOSITE[type(operator)]()
        self.add(node, f"{ast.unparse(node)} -> {type(other).__name__}", partial(put, other))

    def add(self, node, words, change):
        """Keep a change."""
        self.found.append((node.lineno, words, change))


def changed(value):
    """Return another value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value + "XX"
        case _:
            return value


def sites(path):
    """Return a file's tree and every change that can be made in it."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    found = Sites()
    found.visit(tree)
    return tree, found.found


class Mutated(MetaPathFinder):
    """Imports one file with one change."""

    def __init__(self, path, at):
        self.name = path.removesuffix(".py").replace("/", ".")
        self.path, self.at = path, at

    def find_spec(self, name, _path=None, _target=None):
        """Answer for the one module alone."""
        if name != self.name:
            return None
        loader = SourceFileLoader(name, self.path)
        loader.get_code = lambda _name: self.code()
        return spec_from_file_location(name, self.path, loader=loader)

    def code(self):
        """Return the changed module."""
        tree, found = sites(self.path)
        found[self.at][2]()
        return compile(ast.fix_missing_locations(tree), self.path, "exec")


def survives(path, at, options):
    """Tell whether the tests pass with a change; one that takes minutes counts as killed."""
    command = [sys.executable, __file__, "--one", path, str(at), *options]
    try:
        done = subprocess.run(command, capture_output=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main(arguments):
    """Try every change of every file."""
    cut = arguments.index("--")
    files, options = arguments[:cut], arguments[cut + 1 :]
    every = [(path, at) for path in files for at in range(len(sites(path)[1]))]
    with ThreadPoolExecutor(int(os.environ.get("PROCESSES", "2"))) as pool:
        alive = list(pool.map(lambda one: survives(*one, options), every))
    for path, at in (one for one, lives in zip(every, alive, strict=True) if lives):
        line, words, _ = sites(path)[1][at]
        print(f"{path}:{line}: {words}")
    print(f"{len(every)} changes, {sum(alive)} survive")


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        import pytest

        sys.path.insert(0, str(Path.cwd()))
        sys.meta_path.insert(0, Mutated(sys.argv[2], int(sys.argv[3])))
        sys.exit(pytest.main(sys.argv[4:]))
    main(sys.argv[1:])
