# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# What the demo asks host and guest, and how it compares their answers.

passed=0 failed=0

step() { printf 'demo: %s\n' "$*"; }

note_line() { printf 'demo:        %s\n' "$*"; }

check() { # WHAT EXPECTED FOUND
    if [ -n "$3" ] && [ "$2" = "$3" ]; then
        passed=$((passed + 1))
        printf 'demo:   ok   %s: %s\n' "$1" "$3"
    else
        failed=$((failed + 1))
        printf 'demo: FAILED %s: found=%s expected=%s\n' "$1" "$3" "$2"
    fi
}

greater() { # ONE OTHER
    if [ "${1:-0}" -gt "$2" ]; then echo yes; else echo no; fi
}

minus() { # ONE OTHER
    if [ -n "$1" ] && [ -n "$2" ]; then echo $(($1 - $2)); else echo unknown; fi
}

# Runs a command in the runtime.
host() { "$JAVA" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$client_jar" vfio.pci.shell.control.ControlClient "$1" "$instance/control"; }

# The value of a property or counter in a table of two columns.
cell() { awk -v name="$1" '$1 == name { print $2 }'; }

counter() { host "vfio:stats $1" | cell "$2"; }

# How many accesses of a client came to the host.
accesses() { host "vfio:stats $1" | awk '$1 == "mediated" || $1 == "passedThrough" { sum += $2 } END { print sum }'; }

# Gives the guest a command, as scenarios/commands takes it. Sets command_id.
tell_guest() { # COMMAND
    command_id=${EPOCHREALTIME//[!0-9]/}
    printf '%s %s\n' "$command_id" "$1" >&9
}

# Runs a command in the guest and prints what it prints.
ask_guest() { # COMMAND
    tell_guest "$1"
    while read_guest 60 && [[ $line != "guest: done $command_id "* ]]; do
        printf '%s\n' "$line"
    done
}

# Sets line to the next one of the guest's console; waits for it not longer than that many seconds.
read_guest() { # SECONDS
    IFS= read -r -t "$1" -u 6 line || return 1
    line=${line%$'\r'}
    printf '%s\n' "$line" >>"$instance/guest.log"
}

# Reads on to a line that matches, and sets line to it; to nothing when it does not come in that many seconds.
await_guest() { # PATTERN SECONDS
    local deadline=$((SECONDS + $2))
    while [ "$SECONDS" -lt "$deadline" ] && read_guest "$((deadline - SECONDS))"; do
        if [[ $line =~ $1 ]]; then
            return 0
        fi
    done
    line=
    return 1
}
