#!/usr/bin/env bash
# Makes the image that docker/Dockerfile begins with, where none can be pulled: Debian by debootstrap, and a Python
# that this machine has. For podman; as root. docs/deployment/container.md tells the rest.
#
#   docker/base_without_registry.sh [PREFIX]      PREFIX is where that Python is installed, such as /opt/python3.12
set -euo pipefail

prefix=${1:-$(python3.12 -c 'import sys; print(sys.base_prefix)')}
image=localhost/python:3.12-slim-bookworm
libraries=ca-certificates,libbz2-1.0,libexpat1,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,libssl3,libuuid1,zlib1g

[ -x "$prefix/bin/python3.12" ] || { echo "$prefix/bin/python3.12 is not there: name the prefix of a Python 3.12" >&2; exit 2; }
for tool in debootstrap podman; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed: apt-get install $tool" >&2; exit 2; }
done

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
echo "== Debian"
debootstrap --variant=minbase --include="$libraries" bookworm "$root" >"$root.log" 2>&1 \
    || { tail -5 "$root.log" >&2; exit 1; }
echo "== Python from $prefix"
for folder in bin lib include; do
    cp -a "$prefix/$folder/." "$root/usr/local/$folder/"
done
rm -rf "$root"/usr/local/lib/python3.12/{test,site-packages,config-*} "$root"/var/cache/apt/archives/*.deb "$root.log"
chroot "$root" ldconfig
chroot "$root" /usr/local/bin/python3.12 -m ensurepip --upgrade >/dev/null
ln -sf python3.12 "$root/usr/local/bin/python3"
ln -sf python3.12 "$root/usr/local/bin/python"
echo "== $image"
tar -C "$root" -c . | podman import --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'CMD ["python3"]' - "$image" >/dev/null
podman images "$image"
