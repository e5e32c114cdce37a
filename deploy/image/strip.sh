#!/bin/sh
# Takes from a Debian image with Python what a server does not run: package managers, Perl, what makes users and file
# systems, documentation, and the parts of Python that build, test and teach. Works for Debian's own Python and for one
# in /usr/local. The list of Debian's packages stays, for scanners.
set -eu

# Whatever of these is there. The shell and the small tools that the entry point calls stay.
unneeded='adduser apt debian-archive-keyring e2fsprogs gpgv libapt-pkg6.0 libpython3-stdlib-dev logsave mount
  ncurses-bin passwd perl-base python3-distutils python3-lib2to3 python3-pip python3-pip-whl python3-pkg-resources
  python3-setuptools python3-setuptools-whl python3-venv python3-wheel python3.11-venv sysvinit-utils tzdata util-linux
  util-linux-extra bsdutils login media-types init-system-helpers libext2fs2 libss2'
found=$(dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' |
  awk -v wanted="$unneeded" 'BEGIN { n = split(wanted, list); for (i = 1; i <= n; i++) want[list[i]] }
    { name = $1; sub(/:.*/, "", name) } $2 == "installed" && name in want { print name }')
# Their scripts are not run: there is no system to keep in order here, and some need what leaves with them.
for name in $found; do
  rm -f /var/lib/dpkg/info/"$name".prerm /var/lib/dpkg/info/"$name".postrm /var/lib/dpkg/info/"$name":*.postrm
done
# shellcheck disable=SC2086
dpkg --purge --force-all $found >/dev/null 2>&1 || true

for lib in /usr/lib/python3* /usr/local/lib/python3*; do
  for part in ensurepip idlelib tkinter turtledemo lib2to3 test distutils pydoc_data; do
    rm -rf "${lib:?}/$part"
  done
  rm -rf "$lib"/config-* "$lib"/site-packages/pip* "$lib"/site-packages/setuptools* "$lib"/site-packages/wheel* \
    "$lib"/dist-packages/pip* "$lib"/dist-packages/setuptools* "$lib"/dist-packages/wheel*
done
rm -rf /usr/local/bin/pip* /usr/local/bin/idle* /usr/local/bin/pydoc* /usr/local/bin/2to3* /usr/local/include \
  /usr/include /usr/share/python-wheels /usr/share/man /usr/share/info /usr/share/locale /usr/share/perl* \
  /usr/lib/*/perl* /usr/share/lintian /usr/share/bash-completion /usr/share/zoneinfo /usr/lib/apt /etc/apt \
  /var/lib/apt /var/cache /var/log /var/lib/dpkg/info /var/lib/dpkg/*-old /usr/bin/dpkg* /usr/sbin/dpkg* /usr/lib/dpkg \
  /usr/share/dpkg ~/.cache /tmp/* /strip.sh
# Licences stay, the rest of the documentation goes.
find /usr/share/doc -type f ! -name copyright -delete
find /usr/share/doc -type d -empty -delete
mkdir -p /var/cache /var/log
# Nobody here needs more rights than it has.
find / -xdev -type f -perm /6000 -exec chmod a-s {} +

echo 'basicaer:x:10001:10001:BasicAer:/var/lib/basicaer:/usr/sbin/nologin' >>/etc/passwd
echo 'basicaer:x:10001:' >>/etc/group
