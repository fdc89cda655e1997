# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# Finds a JDK to run with. Starts no process but one: all of this is in the way of every command.

oldest_jdk=25

# Sets JAVA and exports it, and jdk, its version; or ends the script. VFIO_JAVA_HOME is an order, not a hint.
find_jdk() {
    found=
    if [ -n "${VFIO_JAVA_HOME-}" ]; then
        take_jdk "$VFIO_JAVA_HOME" && return
    else
        [ -z "${JAVA_HOME-}" ] || ! take_jdk "$JAVA_HOME" || return 0
        # The path of what would run, which is mostly a link to a link.
        if hash java 2>/dev/null && on_path=$(readlink -f -- "${BASH_CMDS[java]}"); then
            ! take_jdk "${on_path%/bin/java}" || return 0
        fi
        for each in /usr/lib/jvm/*; do
            # Debian has links beside the folders: each JDK once.
            [ ! -d "$each" ] || [ -L "$each" ] || ! take_jdk "$each" || return 0
        done
    fi
    fail 2 "JDK $oldest_jdk or later is needed; found: ${found:-none}"
}

# Takes the JDK at a home, when there is one and it is new enough; else adds it to found.
take_jdk() { # HOME
    [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
    jdk=
    while IFS= read -r line; do
        case $line in
            'JAVA_VERSION="'*)
                jdk=${line#*\"}
                jdk=${jdk%%\"*}
                ;;
        esac
    done <"$1/release"
    major=${jdk%%[!0-9]*}
    if [ "${major:-0}" -ge "$oldest_jdk" ]; then
        export JAVA=$1/bin/java
        return
    fi
    case $found in
        *"($1)"*) ;;
        *) [ -z "$jdk" ] || found="$found${found:+, }$jdk ($1)" ;;
    esac
    return 1
}
