# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# ./vfio trace
. "$scripts/sh.sh"

vfio_trace() {
    control=()
    words=
    while [ $# -gt 0 ]; do
        case $1 in
            --control)
                [ $# -ge 2 ] || wrong_call '--control expected=PATH'
                control=(--control "$(absolute "$2")")
                shift
                ;;
            --write)
                [ $# -ge 2 ] || wrong_call '--write expected=FILE'
                words="$words --write $(gogo_word "$(absolute "$2")")"
                shift
                ;;
            *) words="$words $(gogo_word "$1")" ;;
        esac
        shift
    done
    [ -n "$words" ] || wrong_call 'arguments=0 expected=ADDRESS [--write FILE] [--count N]'
    vfio_sh ${control[@]+"${control[@]}"} -- "vfio:trace$words"
}

# A word in quotes that Gogo takes as it is.
gogo_word() {
    case $1 in
        *[\'\\\$\"]* | *$'\n'*) wrong_call "argument=$1 expected=no quotes, dollars, backslashes or line breaks" ;;
        *) printf "'%s'" "$1" ;;
    esac
}

# The client ends with the script, however that is ended.
client() { # COMMAND CONTROL...
    "$JAVA" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$client_jar" vfio.pci.shell.control.ControlClient "$@" &
    client_process=$!
    trap 'kill "$client_process" 2>/dev/null || true' TERM INT HUP
    wait "$client_process"
}
