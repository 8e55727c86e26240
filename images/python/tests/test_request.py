"""event['extensions']['request']: Flask's request with Bottle's accessors."""

from __future__ import annotations

from .conftest import Serve

FORM = "application/x-www-form-urlencoded"


def using(expression: str) -> str:
    return f"""
        def handler(event, context):
            request = event["extensions"]["request"]
            return {expression}
    """


def test_it_is_flasks(serve: Serve) -> None:
    server = serve(
        """
        def handler(event, context):
            import flask
            request = event["extensions"]["request"]
            assert isinstance(request, flask.Request)
            return [request.method, request.path, request.args.to_dict(), request.get_data(as_text=True)]
        """
    )
    reply = server.request("PUT", "/a/b%20c?x=1", "body")
    assert reply.json() == ["PUT", "/a/b c", {"x": "1"}, "body"]


def test_get_header(serve: Serve) -> None:
    server = serve(using('[request.get_header("X-A"), request.get_header("X-B", "none")]'))
    assert server.get("/", **{"x-a": "1"}).json() == ["1", "none"]


def test_query(serve: Serve) -> None:
    server = serve(
        using('[request.query["a"], request.query.a, request.query.b, request.query.getall("a")]')
    )
    assert server.get("/?a=1&a=2").json() == ["1", "1", "", ["1", "2"]]


def test_forms(serve: Serve) -> None:
    server = serve(
        using('[request.forms.get("a"), request.forms.b, request.form["a"], request.params.q]')
    )
    assert server.request("POST", "/?q=z", "a=1&b=%C3%A9", {"Content-Type": FORM}).json() == [
        "1",
        "é",
        "1",
        "z",
    ]


def test_form_body_is_also_the_events_data(serve: Serve) -> None:
    server = serve(using('[event["data"].decode(), request.forms.a]'))
    assert server.post("a=1", FORM).json() == ["a=1", "1"]


def multipart(name: str, filename: str, content: str) -> tuple[str, str]:
    body = (
        f'--xx\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        f"Content-Type: text/plain\r\n\r\n{content}\r\n--xx--\r\n"
    )
    return body, "multipart/form-data; boundary=xx"


def test_files_are_saved_under_a_path(serve: Serve) -> None:
    server = serve(
        """
        import os, tempfile
        def handler(event, context):
            upload = event["extensions"]["request"].files.get("f")
            path = os.path.join(tempfile.mkdtemp(), "out")
            upload.save(path, overwrite=True)
            upload.file.seek(0)
            upload.save(path, overwrite=True)
            refused = None
            for again in (lambda: upload.save(path, overwrite=False), lambda: upload.save(path, False)):
                try:
                    again()
                except OSError as error:
                    refused = str(error).partition(":")[0]
            return [open(path).read(), upload.filename, upload.raw_filename, upload.content_type, refused]
        """
    )
    body, content_type = multipart("f", "a.txt", "hello")
    assert server.post(body, content_type).json() == [
        "hello", "a.txt", "a.txt", "text/plain", "File exists",
    ]  # fmt: skip


def test_a_file_saved_into_a_folder_cannot_leave_it(serve: Serve) -> None:
    server = serve(
        """
        import os, tempfile
        def handler(event, context):
            folder = tempfile.mkdtemp()
            event["extensions"]["request"].files["f"].save(folder)
            return os.listdir(folder)
        """
    )
    body, content_type = multipart("f", "../../../etc/x.txt", "hello")
    assert server.post(body, content_type).json() == ["x.txt"]


def test_flask_of_the_function_sees_the_request(serve: Serve) -> None:
    server = serve(
        """
        from flask import abort, jsonify, request
        def handler(event, context):
            assert event["extensions"]["request"] is request._get_current_object()
            if request.path == "/missing":
                abort(404, "not here")
            return jsonify(path=request.path)
        """
    )
    assert server.get("/a").json() == {"path": "/a"}
    missing = server.get("/missing")
    assert missing.status == 404
    assert "not here" in missing.text


def test_a_function_may_bring_its_own_flask(serve: Serve) -> None:
    server = serve(
        {
            "fn.py": "import flask\ndef handler(event, context):\n    return flask.__file__",
            "flask.py": "Flask = None",
        }
    )
    # Its flask is used by the function; the server says so when it can't serve with it.
    assert server.get("/healthz").status == 200


def test_address_of_an_ipv4_client_is_an_ipv4_address(serve: Serve) -> None:
    assert serve(using("request.remote_addr")).get().text == "127.0.0.1"
