# SPDX-License-Identifier: Apache-2.0
# Where the guest's parts are kept. Sourced by the scripts beside it, which set `here` first.
# shellcheck shell=sh disable=SC2034

# Part of the folder names: raise one when what `fetch` makes changes, so that an older cache is not mistaken for a new one.
qemu_recipe=1
guest_recipe=2

cache=${VFIO_GUEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/vfio-mediate}
qemu_root=$cache/qemu-$qemu_recipe
guest_root=$cache/guest-$guest_recipe
busybox=$guest_root/busybox
kernel_root=$guest_root

# From here on it is about the kernel of another Debian release than the usual one.
use_kernel_of() { kernel_root=$cache/kernel-$guest_recipe-$1; }

# Ends the calling script: nothing of a guest is to be had for the reason given.
no_guest() {
    printf 'no guest can be had: %s\n' "$*" >&2
    exit 2
}

# Prints the path of an installed QEMU that can be a vfio-user client, or fails.
installed_qemu() {
    found=$(command -v qemu-system-x86_64) || return 1
    case $("$found" -device help 2>/dev/null) in
        *'"vfio-user-pci"'*) printf '%s\n' "$found" ;;
        *) return 1 ;;
    esac
}

has_qemu() { [ -e "$qemu_root/stamp" ] || installed_qemu >/dev/null; }

has_base() { [ -e "$guest_root/stamp" ]; }

has_guest() { has_base && [ -e "$kernel_root/stamp" ]; }
