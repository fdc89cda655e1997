# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# Programs of their own, without a runtime: they end with the script's exit code.

tool_jar=$home/lib/vfio.user.tool.jar

run_tool() { # TOOL ARGUMENT...
    . "$scripts/jdk.sh"
    . "$scripts/build.sh"
    find_jdk
    [ -e "$tool_jar" ] || build_if_needed
    exec "$JAVA" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto --enable-native-access=ALL-UNNAMED \
        --sun-misc-unsafe-memory-access=allow -cp "$tool_jar:$home/bundle/*" vfio.user.tool.Tool "$@"
}
