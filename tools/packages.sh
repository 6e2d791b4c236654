# SPDX-License-Identifier: Apache-2.0
# Sourced by ./run, ./check and ./bench: make sure that the Debian packages of packages.txt are there.
# ctm_packages KIND...   KIND is a word of the second column. Installs only what is missing, says what and why.

ctm_packages() {
	ctm_missing=
	for ctm_kind in "$@"; do
		for ctm_p in $(awk -v k="$ctm_kind" '!/^#/ && NF && ($2 == k || (NF == 1 && k == "run")) { print $1 }' packages.txt); do
			case $ctm_p in nodejs) command -v node >/dev/null 2>&1 && continue ;; npm) command -v npm >/dev/null 2>&1 && continue ;; esac
			dpkg-query -W -f '${Status}' "$ctm_p" 2>/dev/null | grep -q 'ok installed' || ctm_missing="$ctm_missing $ctm_p"
		done
	done
	[ -n "$ctm_missing" ] || return 0
	ctm_sudo=
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null 2>&1 || {
			echo "ctm: these Debian packages are missing and you are not root and have no sudo:$ctm_missing" >&2
			echo "ctm: install them, then run this again." >&2
			return 3
		}
		ctm_sudo=sudo
	fi
	echo "ctm: installing Debian packages needed to $(ctm_why "$@"):$ctm_missing"
	# A package's own service must not start here: ctm runs its own nginx, unprivileged, under its state directory.
	ctm_policy=/usr/sbin/policy-rc.d
	ctm_made=
	if [ ! -e $ctm_policy ]; then
		printf '#!/bin/sh\nexit 101\n' | $ctm_sudo tee $ctm_policy >/dev/null && $ctm_sudo chmod 755 $ctm_policy && ctm_made=1
	fi
	ctm_rc=0
	{ $ctm_sudo apt-get update -q >/dev/null 2>&1 || true; } &&
		$ctm_sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $ctm_missing >"${TMPDIR:-/tmp}/ctm-apt.$$" 2>&1 || ctm_rc=3
	[ -z "$ctm_made" ] || $ctm_sudo rm -f $ctm_policy
	if [ $ctm_rc -ne 0 ]; then
		tail -n 20 "${TMPDIR:-/tmp}/ctm-apt.$$" >&2
		echo "ctm: apt-get could not install them; the lines above say why." >&2
	fi
	rm -f "${TMPDIR:-/tmp}/ctm-apt.$$"
	return $ctm_rc
}

ctm_why() {
	case "$*" in *check*) echo "build, run and test ctm" ;; *) echo "build and run ctm" ;; esac
}

# ctm_build DIR OPTIONS...   Configure once, then build. Uses ccache when it is there.
ctm_build() {
	ctm_dir=$1
	shift
	if [ ! -f "$ctm_dir/build.ninja" ]; then
		ctm_cc=${CC:-gcc}
		command -v ccache >/dev/null 2>&1 && ctm_cc="ccache $ctm_cc"
		CC=$ctm_cc meson setup "$ctm_dir" "$@" >"$ctm_dir.setup.log" 2>&1 || {
			tail -n 20 "$ctm_dir.setup.log" >&2
			echo "ctm: the build could not be configured; the lines above say why." >&2
			return 3
		}
		rm -f "$ctm_dir.setup.log"
	fi
	if [ build/mbedtls/ready -nt "$ctm_dir/build.ninja" ]; then      # arrived after this directory was configured
		meson setup --reconfigure "$ctm_dir" >/dev/null || return 3
	fi
	ninja -C "$ctm_dir" ${CTM_NINJA:-}
}
