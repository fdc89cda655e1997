# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# Finds a JDK to run with.

oldest_jdk=25

# Prints the version of the JDK at a home, from its release file.
jdk_version() {
    [ -x "$1/bin/java" ] && [ -r "$1/release" ] && sed -n 's/^JAVA_VERSION="\([^"]*\)".*/\1/p' "$1/release" | head -n 1
}

# Prints the homes to look at, likely ones first. VFIO_JAVA_HOME is an order, not a hint.
jdk_homes() {
    if [ -n "${VFIO_JAVA_HOME-}" ]; then
        printf '%s\n' "$VFIO_JAVA_HOME"
        return
    fi
    [ -z "${JAVA_HOME-}" ] || printf '%s\n' "$JAVA_HOME"
    if on_path=$(command -v java); then
        dirname -- "$(dirname -- "$(readlink -f -- "$on_path")")"
    fi
    for each in /usr/lib/jvm/*; do
        # Debian has links beside the folders: each JDK once.
        [ ! -d "$each" ] || [ -L "$each" ] || printf '%s\n' "$each"
    done
}

# Sets JAVA and exports it, or ends the script.
find_jdk() {
    found=
    while IFS= read -r each; do
        version=$(jdk_version "$each") || version=
        [ -n "$version" ] || continue
        major=${version%%[!0-9]*}
        if [ "${major:-0}" -ge "$oldest_jdk" ]; then
            export JAVA=$each/bin/java
            return
        fi
        case $found in
            *"($each)"*) ;;
            *) found="$found${found:+, }$version ($each)" ;;
        esac
    done < <(jdk_homes)
    fail 2 "JDK $oldest_jdk or later is needed; found: ${found:-none}"
}
