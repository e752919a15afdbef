"""Packages of the distribution: what installing them does to a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plstui.sandbox.machines.guest import Guest

_WEB_SERVERS = {
    **dict.fromkeys(("nginx", "nginx-light", "nginx-core", "nginx-full", "nginx-extras"), "nginx"),
    "apache2": "apache2",
    "lighttpd": "lighttpd",
}
"""Packages that listen on port 80 as soon as they are installed, and their service."""

_DEFAULT_SITE = """server {
    listen 80 default_server;
    root /var/www/html;
    index index.html index.htm index.nginx-debian.html;
    server_name _;
    location / {
        try_files $uri $uri/ =404;
    }
}
"""
_WELCOME = "<!DOCTYPE html>\n<html>\n<head><title>Welcome to nginx!</title></head>\n</html>\n"
_PROGRAMS = {"nginx": "/usr/sbin/nginx", "apache2": "/usr/sbin/apache2", "lighttpd": "/usr/sbin/lighttpd"}


async def install(guest: Guest, names: list[str]) -> None:
    """Install packages that were fetched; services start at once, as on Debian."""
    for name in names:
        if name in guest.packages:
            continue
        guest.packages.add(name)
        if service := _WEB_SERVERS.get(name):
            await _install_web_server(guest, service)


async def _install_web_server(guest: Guest, service: str) -> None:
    disk, program = guest.disk, _PROGRAMS[service]
    disk.write(program, "", mode=0o755)
    if service == "nginx":
        disk.write("/etc/nginx/nginx.conf", "include conf.d/*.conf;\ninclude sites-enabled/*;\n")
        disk.make_folder("/etc/nginx/conf.d")
        # A site that was there before the package is kept, and so is a page.
        for path, content in (
            ("/etc/nginx/sites-available/default", _DEFAULT_SITE),
            ("/etc/nginx/sites-enabled/default", disk.read("/etc/nginx/sites-available/default") or _DEFAULT_SITE),
            ("/var/www/html/index.nginx-debian.html", _WELCOME),
        ):
            if not disk.exists(path):
                disk.write(path, content)
    else:
        disk.make_folder("/var/www/html")
    disk.write(
        f"/usr/lib/systemd/system/{service}.service",
        f"[Unit]\nDescription={service}\n[Service]\nExecStart={program}\n[Install]\nWantedBy=multi-user.target\n",
    )
    guest.services.enable(service)
    await guest.services.start(service)
