"""How a Ruby source becomes a handler, and whose gems it sees."""

from __future__ import annotations

import subprocess

import pytest

from conformance.client import eventually

from .conftest import RUBY, Serve


def api_version() -> str:
    done = subprocess.run(
        [RUBY.command[0], "-e", "print RbConfig::CONFIG['ruby_version']"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def gem(name: str, version: str, code: str, depends: str = "") -> dict[str, str]:
    """Files of an installed gem, below the volume."""
    home = f"ruby/{api_version()}"
    return {
        f"{home}/gems/{name}-{version}/lib/{name}.rb": code,
        f"{home}/specifications/{name}-{version}.gemspec": f"""
            Gem::Specification.new do |s|
              s.name = '{name}'
              s.version = '{version}'
              s.summary = s.authors = 'x'
              s.require_paths = ['lib']
              {depends}
            end
        """,
    }


def test_what_a_source_may_define(serve: Serve) -> None:
    server = serve(
        """
        @client = 'a variable'
        Point = Struct.new(:x)
        LIST = [1]
        class Helper
          def help = LIST + [Point.new(2).x]
        end
        def self.own = 'own'
        def helper = @client

        private

        def handler(_event, _context) = [helper, own, Helper.new.help, __FILE__.end_with?('fn.rb'), __dir__ == File.dirname(__FILE__)]
        """
    )
    assert server.get().json() == ["a variable", "own", [1, 2], True, True]


@pytest.mark.parametrize(
    "name", ["open", "format", "puts", "test", "load", "call", "method_missing"]
)
def test_function_named_like_one_of_rubys_harms_nobody(serve: Serve, name: str) -> None:
    server = serve(f"def {name}(_event, _context) = 'ok'\n", handler=name)
    assert [server.get().text for _ in range(3)] == ["ok"] * 3


def test_method_that_only_ruby_has_is_no_handler(begin: Serve) -> None:
    server = begin("x = 1\n", handler="puts")
    assert server.wait() == 1
    assert server.wrote("module 'fn' has no function 'puts'; it defines no functions")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("require_relative 'beside'\n", "module 'fn' needs the file "),
        ("require 'no/such'\n", "module 'fn' needs 'no/such', which is not installed: name its gem"),
        ("gem 'no_such_gem'\n", "module 'fn' failed while it was imported: Gem::MissingSpecError: "),
        ("exit!(4)\n", "the function's process was ended by exit code 4 while it was imported"),
        ("Process.kill(:KILL, $$)\nsleep\n",
         "the function's process was ended by SIGKILL while it was imported"),
        ("abort 'why'\n", "module 'fn' ended the process while it was imported (exit code 1)"),
        ("def handler(a\n  1 +\nend\n", "SyntaxError in fn.rb, line "),
        ("raise Interrupt\n", "module 'fn' failed while it was imported: Interrupt"),
        ("x = Object.new\nx.y\n", "module 'fn' failed while it was imported: NoMethodError: undefined method"),
    ],
)  # fmt: skip
def test_why_a_source_does_not_load(begin: Serve, source: str, reason: str) -> None:
    server = begin(source)
    assert server.wait() == 1
    for text in (server.output(), server.termination()):
        line = next(line for line in text.splitlines() if line.startswith("kubeless: "))
        assert reason in line


def test_files_beside_the_source(serve: Serve) -> None:
    server = serve(
        {
            "fn.rb": "require 'json'\nrequire_relative 'beside'\nrequire 'below/more'\n"
            "def handler(*) = [BESIDE, MORE, JSON::VERSION.class]",
            "beside.rb": "BESIDE = 1",
            "below/more.rb": "MORE = 2",
            "json.rb": "raise 'a library of the same name comes first'",
        }
    )
    assert server.get().json() == [1, 2, "String"]


def test_own_gems_are_found_also_by_a_module_of_the_same_name(serve: Serve) -> None:
    server = serve(
        {
            "redis.rb": "require 'redis'\ndef handler(*) = Redis::REAL",
            **gem("redis", "5.0", "module Redis; REAL = 'yes'; end"),
        },
        module="redis",
    )
    assert server.get().text == "yes"


def test_gem_from_a_git_repository_is_found(serve: Serve) -> None:
    folder = f"ruby/{api_version()}/bundler/gems/fromgit-0123456789ab"
    server = serve(
        {
            "fn.rb": "require 'fromgit'\ndef handler(*) = FROM_GIT",
            f"{folder}/lib/fromgit.rb": "FROM_GIT = 'yes'",
            f"{folder}/fromgit.gemspec": "Gem::Specification.new('fromgit', '1') { |s| s.summary = s.authors = 'x' }",
        }
    )
    assert server.get().text == "yes"


def test_function_has_the_rack_that_it_brings(serve: Serve) -> None:
    code = """
        module Rack
          RELEASE = '99.1'
          Request = Struct.new(:env) { def path_info = 'its own' }
          class Response
            def status = 200
            def finish = [200, {}, []]
          end
        end
    """
    server = serve(
        {
            "fn.rb": "require 'rack'\n"
            "def handler(event, _) = [Rack::RELEASE, event[:extensions][:request].path_info]",
            **gem("rack", "99.1", code),
        }
    )
    assert server.get().json() == ["99.1", "its own"]


def test_servers_puma_is_the_images_and_another_is_refused_by_name(begin: Serve) -> None:
    other = gem("puma", "99.1", "raise 'two pumas in one process'")
    serving = begin({"fn.rb": "def handler(*) = 'ok'", **other})
    eventually(serving.ready, "a function may bring a puma that it does not load")
    assert serving.get().text == "ok"
    same = begin({"fn.rb": "require 'puma'\ndef handler(*) = Puma::Const::PUMA_VERSION", **other})
    eventually(same.ready, "the server's puma is there")
    assert same.get().text != "99.1"
    loading = begin({"fn.rb": "gem 'puma', '99.1'\ndef handler(*) = 'ok'", **other})
    assert loading.wait() == 1
    assert "Gem::LoadError: can't activate puma" in loading.output()


def test_gem_home_of_the_environment_does_not_reach_the_server(serve: Serve) -> None:
    files = {"fn.rb": "def handler(*) = ENV['GEM_HOME']", **gem("puma", "99.1", "raise 'wrong'")}
    server = serve(files, env={"GEM_HOME": "/nonexistent", "GEM_PATH": "/nonexistent"})
    assert server.get().text.endswith(f"ruby/{api_version()}")
