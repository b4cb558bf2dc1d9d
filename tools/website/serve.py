"""Show the built website in the browser: ``make serve``."""

import argparse
import functools
import http.server
import signal
import sys
from pathlib import Path

FIRST_PORT, PORTS = 8000, 100


class Handler(http.server.SimpleHTTPRequestHandler):
    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The book's own page in answer to a wrong address, as the usual hosts send it."""
        page = Path(self.directory) / "404.html"
        if code != 404 or not page.is_file():
            return super().send_error(code, message, explain)
        body = page.read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass  # a line per picture would hide the address

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # a rebuilt page is seen at once
        super().end_headers()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True  # an open browser tab does not hold up Ctrl-C
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a reader who left before the page was sent


def serve(folder: Path) -> Server:
    """A server on 127.0.0.1, on the first free port from 8000 on."""
    handler = functools.partial(Handler, directory=str(folder))
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        try:
            return Server(("127.0.0.1", port), handler)
        except OSError:
            continue
    raise SystemExit(
        f"No port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free on 127.0.0.1. "
        "End one of the programs that hold them."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Show a folder in the browser.")
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    if not (folder / "index.html").is_file():
        parser.error(f"{folder} has no index.html; build the site first: make book")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        with serve(folder) as server:
            address = f"http://127.0.0.1:{server.server_port}/"
            print(f"The book is at {address}  (Ctrl-C ends this)", flush=True)
            server.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
