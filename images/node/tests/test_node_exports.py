"""The forms of a module, what it may import, and why it does not load."""

from __future__ import annotations

import pytest

from .conftest import Start

HELLO = "(event, context) => 'hello'"


@pytest.mark.parametrize(
    ("source", "suffix"),
    [
        (f"module.exports = {HELLO};", ".js"),  # the handler's name is ignored
        (f"exports.handler = {HELLO};", ".js"),
        (f"module.exports = {{ handler: {HELLO} }};", ".js"),
        ("class A { handler() { return this.text; } }\nmodule.exports = Object.assign(new A(), {text: 'hello'});", ".js"),
        (f"module.exports = {{ handler: {HELLO} }};", ".cjs"),
        (f"export const handler = {HELLO};", ".mjs"),
        (f"export default {HELLO};", ".mjs"),
        (f"export default {{ handler: {HELLO} }};", ".mjs"),
        ("const { text } = await Promise.resolve({text: 'hello'});\nexport const handler = () => text;", ".mjs"),
        ("import fs from 'node:fs';\nexport function handler() { return fs && 'hello'; }", ".js"),
    ],
)  # fmt: skip
def test_forms_of_a_module(serve: Start, source: str, suffix: str) -> None:
    server = serve(source, suffix)
    assert server.get().text == "hello"
    assert "Warning" not in server.output()


def test_es_module_by_package_json(serve: Start) -> None:
    server = serve(
        {
            "fn.js": "import { a } from './beside.js';\nexport const handler = () => a;",
            "beside.js": "export const a = 'beside';",
            "package.json": '{"type": "module"}',
        }
    )
    assert server.get().text == "beside"


def test_installed_packages_and_files_beside(serve: Start) -> None:
    server = serve(
        {
            "fn.js": "const [a, b] = [require('thing'), require('./lib/beside')];\n"
            "module.exports = () => [a, b, require('express')];",
            "lib/beside.js": "module.exports = 2;",
            "node_modules/thing/index.js": "module.exports = 1;",
            "node_modules/express/index.js": "module.exports = 'its own';",
        }
    )
    assert server.get().json() == [1, 2, "its own"]


def test_packages_of_the_server_are_not_seen(serve: Start) -> None:
    server = serve(
        "module.exports = (event) => {\n"
        "  event.extensions.request;\n"
        "  try { require('express'); } catch (error) { return error.code; }\n"
        "};"
    )
    assert server.get().text == "MODULE_NOT_FOUND"


def test_mounted_as_kubernetes_mounts(serve: Start, begin: Start) -> None:
    """A ConfigMap's files are links into a folder that is a link."""
    server = begin({"..1/fn.js": "module.exports = () => require('./other');", "..1/other.js": "module.exports = 'x';"})  # fmt: skip
    server.wait(10)
    (server.volume / "..data").symlink_to("..1")
    for name in ("fn.js", "other.js"):
        (server.volume / name).symlink_to(f"..data/{name}")
    again = serve({}, env={"KUBELESS_INSTALL_VOLUME": str(server.volume)})
    assert again.get().text == "x"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"fn.js": "let a = 1;\nlet a = 2;"},
         "SyntaxError in fn.js, line 2: Identifier 'a' has already been declared"),
        ({"fn.mjs": "export const handler = ("}, "SyntaxError in fn.mjs, line 1: Unexpected end of input"),
        ({"fn.js": "require('./lib');", "lib.js": "\n}"}, "SyntaxError in lib.js, line 2: "),
        ({"other.js": ""}, "fn.js; "),
        ({"fn.js": "exports.main = () => 1; exports.text = 'x';"},
         "module 'fn' has no function 'handler'; it has: main"),
        ({"fn.js": ""}, "module 'fn' has no function 'handler'; it exports no functions"),
        ({"fn.js": "exports.handler = 3;"}, "'handler' in module 'fn' is not a function but a number"),
        ({"fn.mjs": "export const handler = null;"}, "'handler' in module 'fn' is not a function but null"),
        ({"fn.mjs": "import 'no-such-thing';"},
         "module 'fn' needs 'no-such-thing', which is not installed: name it in the function's dependencies"),
        ({"fn.js": "require('./nowhere');"}, "module 'fn' needs './nowhere', and there is no such file"),
        ({"fn.js": "try { process.exit(3); } catch {}"}, "ended the process while it was imported (exit code 3)"),
        ({"fn.js": "throw 'a text';"}, "failed while it was imported: Uncaught 'a text'"),
        ({"fn.js": "Promise.reject(new Error('late'));\nmodule.exports = new Promise(() => {});"},
         "module 'fn' has no function 'handler'"),
        ({"fn.mjs": "setImmediate(() => { throw new Error('later'); });\nawait new Promise(() => {});"},
         "failed while it was imported: Error: later"),
        ({"fn.mjs": "await new Promise(() => {});"},
         "failed while it was imported: Error: it waits for something that never comes"),
    ],
)  # fmt: skip
def test_module_that_does_not_load(begin: Start, files: dict[str, str], reason: str) -> None:
    server = begin(files)
    assert server.wait(10) == 1
    for text in (server.output(), server.termination()):
        first, _, trace = text.partition("\n")
        assert first.startswith("kubeless: ")
        assert reason in first
        assert "images/node/server" not in trace
