# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# ./vfio demo: a guest under QEMU uses two mediated devices, and both sides tell what they see.
. "$scripts/runtime.sh"
. "$scripts/checks.sh"

vf=0000:3b:02.0
igd=0000:00:02.0
guest=$root/cnf/guest

# Where the guest finds the devices.
vf_guest=0000:00:04.0
igd_guest=0000:00:02.0

# Where in BAR 0 of the VF a loop in the guest looks whether to end: in a page that is mapped, so that it costs no access.
stop=0x1000

vfio_demo() {
    [ $# -eq 0 ] || wrong_call "arguments=$* expected=none"
    find_jdk
    build_if_needed
    step 'getting a guest'
    get_guest
    make_instance
    # Whatever ends the demo ends the guest and the runtime.
    trap 'end_demo' EXIT
    trap 'exit 143' TERM HUP
    trap 'exit 130' INT
    step 'starting the runtime'
    serve_devices
    step 'booting a guest under QEMU with both devices'
    boot_guest
    tell_identity
    tell_registers
    tell_memory
    tell_config
    tell_reset
    tell_interrupt
    tell_graphics
    tell_swap
    tell_end
    summary
}

summary() {
    printf 'demo: %d checks passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ] || exit 1
    exit 0
}

no_guest_run() {
    printf 'no guest was run: %s\n' "$*"
    exit 2
}

get_guest() {
    local last
    last=$(set -o pipefail && "$guest/fetch" 2>&1 | tee /dev/stderr | tail -n 1) || no_guest_run "${last#no guest can be had: }"
}

serve_devices() {
    vf_socket=$instance/vf.sock
    igd_socket=$instance/igd.sock
    hold_open
    start_runtime -Dvfio.until.eof=true -Dgosh.args=--nointeractive -Dvfio.control="$instance/control" -Dvfio.control.required=true \
        -Dvfio.serve="$vf"$'\n'"$vf_socket"$'\n'"$igd"$'\n'"$igd_socket"$'\n' <&"$held" >"$instance/runtime.out" 2>"$instance/runtime.err" {held}<&- {hold}>&- &
    runtime=$!
    exec {held}<&-
    await_lines 2 '^serving ' "$instance/runtime.out" "$runtime" || {
        cat "$instance/runtime.err" >&2
        fail 3 'the runtime did not serve both devices'
    }
    sed -n 's/^serving/demo: serving/p' "$instance/runtime.out"
}

# Waits until a file has that many lines that match; not longer than the process lives, nor than a minute.
await_lines() { # COUNT PATTERN FILE PROCESS
    for _ in $(seq 600); do
        [ "$(grep -c -- "$2" "$3" 2>/dev/null)" -lt "$1" ] || return 0
        kill -0 "$4" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

boot_guest() {
    "$guest/initramfs" "$instance/initrd" -m vfio-pci -m vfio_iommu_type1 "$guest/scenarios/commands" ||
        no_guest_run 'the initramfs could not be packed'
    mkfifo -m 600 -- "$instance/console" "$instance/commands.in" "$instance/commands.out"
    # For reading as well: so opening it does not wait for QEMU, and writing outlives it.
    exec 9<>"$instance/commands.in"
    "$guest/boot" --iommu --append limit=600 "$vf_socket@4" "$igd_socket@2" -- "$instance/initrd" \
        -serial "pipe:$instance/commands" >"$instance/console" 2>"$instance/qemu.err" {hold}>&- 9>&- &
    qemu=$!
    exec 6<"$instance/console"
    if ! await_guest '^guest: ready$' 180; then
        cat "$instance/qemu.err" >&2
        check 'the guest boots' yes no
        summary
    fi
    ask_guest "enable $vf_guest && enable $igd_guest"
}

tell_identity() {
    step 'ids and sizes, as the guest has them in its sysfs'
    local name address there
    for name in vf igd; do
        address=${!name} there=${name}_guest
        check "$name: vendor and device" "$(host "vfio:device $address" | cell id)" "$(ask_guest "ids ${!there}")"
        check "$name: BARs" "$(host "vfio:device $address" | awk '/^bar/ { printf "%s%s=%s", sep, $1, $2; sep = " " }')" \
            "$(ask_guest "bars ${!there}")"
    done
}

tell_registers() {
    step 'trapped registers: one that the mediator looks at, and one that passes it'
    local mediated passed_through
    mediated=$(counter "$vf" mediated) passed_through=$(counter "$vf" passedThrough)
    check 'VFGEN_RSTAT says VFACTIVE' 0x00000002 "$(ask_guest "mmio.py $vf_guest 0 r 0x8800 4")"
    check 'reads that the mediator saw' 1 "$(minus "$(counter "$vf" mediated)" "$mediated")"
    check 'VF_ATQBAL1, written and read' 0x12345000 "$(ask_guest "mmio.py $vf_guest 0 w 0x7c00 4 0x12345000 + r 0x7c00 4")"
    check 'accesses that passed it' 2 "$(minus "$(counter "$vf" passedThrough)" "$passed_through")"
    check 'VF_ATQBAL1, as the device has it' 0x12345000 "$(host "sim:peek $vf 0 0x7c00 4")"
}

tell_memory() {
    step 'mapped pages: both sides see the same memory, and no access comes to the host'
    local name address there bar offset before
    for name in vf igd; do
        address=${!name} there=${name}_guest
        case $name in
            vf) bar=0 offset=0x1000 ;;
            igd) bar=2 offset=0x100000 ;;
        esac
        before=$(accesses "$address")
        ask_guest "mmio.py ${!there} $bar w $offset 4 0x600d0001"
        check "$name: what the guest wrote, on the host" 0x600d0001 "$(host "sim:peek $address $bar $offset 4")"
        host "sim:poke $address $bar $offset 4 0x600d0002"
        check "$name: what the device wrote, in the guest" 0x600d0002 "$(ask_guest "mmio.py ${!there} $bar r $offset 4")"
        check "$name: accesses that came to the host meanwhile" 0 "$(minus "$(accesses "$address")" "$before")"
    done
}

tell_config() {
    step 'config writes: only what may be written changes'
    local command
    command=$(ask_guest "mmio.py $vf_guest config r 4 2")
    check 'all writable bits of the command register' 0x0547 "$(ask_guest "mmio.py $vf_guest config w 4 2 0xffff + r 4 2")"
    check 'the command register on the host' 0x0547 "$(host "vfio:read $vf config 4 2")"
    check 'vendor and device after a write' 0x154c8086 "$(ask_guest "mmio.py $vf_guest config w 0 4 0 + r 0 4 + w 4 2 $command")"
    check 'vendor and device on the host' 0x154c8086 "$(host "vfio:read $vf config 0 4")"
}

tell_reset() {
    step 'a function level reset by the guest'
    ask_guest "reset $vf_guest"
    check 'VF_ATQBAL1 is back to its first value' 0x00000000 "$(ask_guest "mmio.py $vf_guest 0 r 0x7c00 4")"
    check 'and so it is on the host' 0x00000000 "$(host "sim:peek $vf 0 0x7c00 4")"
}

tell_interrupt() {
    step 'MSI-X interrupts: one the device raises, one the guest asks for'
    local before
    before=$(counter "$vf" interrupts)
    # VFINT_DYN_CTLN1(1) is the control of vector 2: INTENA and SWINT_TRIG.
    tell_guest "msix.py $vf_guest arm 5 wait 1 60 write 0 0x3804 4 0x0100001d wait 2 60 disarm"
    await_guest '^msix: armed ' 60 || true
    check 'vectors' "$(host "vfio:device $vf" | awk '$1 == "msix" { print $2 }')" "${line#msix: armed }"
    host "sim:interrupt $vf 1" >/dev/null
    await_guest '^msix: vector 1 ' 60 || true
    check 'vector 1' 'arrived 1' "${line#msix: vector 1 }"
    await_guest '^msix: vector 2 ' 60 || true
    check 'vector 2' 'arrived 1' "${line#msix: vector 2 }"
    await_guest "^guest: done $command_id " 60 || true
    check 'interrupts, as the host counts' 2 "$(minus "$(counter "$vf" interrupts)" "$before")"
}

tell_graphics() {
    step "the graphics device's area: an access below it starts trapping, one inside ends it"
    check 'trapping before' no "$(host "vfio:device $igd" | cell trapping)"
    ask_guest "mmio.py $igd_guest 0 w 0x2030 4 0x40"
    check 'trapping after an access below' yes "$(host "vfio:device $igd" | cell trapping)"
    check 'a word inside' 0x00005927 "$(ask_guest "mmio.py $igd_guest 0 w 0x9000 4 0x5927 + r 0x9000 4")"
    check 'the word on the host' 0x00005927 "$(host "sim:peek $igd 0 0x9000 4")"
    check 'trapping after that' no "$(host "vfio:device $igd" | cell trapping)"
}

tell_swap() {
    step 'mediator.i40e is uninstalled and installed while the guest reads'
    local bundle before mediated passed_through
    before=$(accesses "$vf")
    host "sim:poke $vf 0 $stop 4 0"
    tell_guest "mmio.py $vf_guest 0 loop 0x8800 4 2 120 $stop=1"
    await_reads
    mediated=$(counter "$vf" mediated)
    await_reads
    check 'reads are mediated' yes "$(greater "$(minus "$(counter "$vf" mediated)" "$mediated")" 0)"
    bundle=$(i40e 4)
    host "uninstall ${bundle:-0}" >/dev/null
    mediated=$(counter "$vf" mediated) passed_through=$(counter "$vf" passedThrough)
    await_reads
    check 'reads mediated since it went' 0 "$(minus "$(counter "$vf" mediated)" "$mediated")"
    check 'reads are passed through' yes "$(greater "$(minus "$(counter "$vf" passedThrough)" "$passed_through")" 0)"
    bundle=$(host "install file:$home/bundle/mediator.i40e.jar" | sed -n 's/^Bundle ID: //p')
    host "start ${bundle:-0}" >/dev/null
    check 'the mediator is back' i40e "$(i40e 1)"
    await_reads
    host "sim:poke $vf 0 $stop 4 1"
    await_guest '^mmio: end: ' 60 || true
    local end='([0-9]+) accesses, ([0-9]+) wrong, ([0-9]+)/s, longest [0-9]+ us'
    [[ $line =~ $end ]] || BASH_REMATCH=()
    local counts=("${BASH_REMATCH[@]}")
    await_guest "^guest: done $command_id " 60 || true
    check 'wrong values' 0 "${counts[2]-}"
    check 'reads, as guest and host count' "${counts[1]-}" "$(minus "$(accesses "$vf")" "$before")"
    check 'at least 500 reads a second' yes "$(greater "${counts[3]-}" 499)"
    note_line "${counts[0]-}"
}

# A word of the mediator's line: 1 is its name, 4 the number of its bundle, 7 how many devices it accepted.
i40e() { host 'vfio:mediators' | awk -v word="$1" '$1 == "i40e" { print $word }'; }

# Waits until the guest has told twice how its loop goes: the first time it may tell of the time before.
await_reads() {
    await_guest '^mmio: [0-9]* accesses' 60 || true
    await_guest '^mmio: [0-9]* accesses' 60 || true
}

tell_end() {
    step 'power-off'
    echo end >&9
    await_guest '^guest: exit ' 60 || true
    check 'exit code of the guest' 0 "${line#guest: exit }"
    qemu_code=0
    wait "$qemu" || qemu_code=$?
    check 'exit code of QEMU' 0 "$qemu_code"
    step 'a new client gets the mediator that was installed'
    check 'devices it accepted' 0 "$(i40e 7)"
    check 'VFGEN_RSTAT, read anew' 0x00000002 "$(host "vfio:read $vf bar0 0x8800 4")"
    check 'devices it accepted' 1 "$(i40e 7)"
    check 'reads are mediated again' 1 "$(counter "$vf" mediated)"
    kill -TERM "$runtime"
    wait "$runtime" || true
    check 'sockets left' 0 "$(find "$instance" -name '*.sock' | wc -l)"
}

# A guest that waits for its device does not hear a polite word.
end_process() { # PROCESS
    [ -n "$1" ] || return 0
    local signal
    for signal in TERM KILL; do
        kill "-$signal" "$1" 2>/dev/null || break
        for _ in $(seq 50); do
            kill -0 "$1" 2>/dev/null || break 2
            sleep 0.1
        done
    done
    wait "$1" 2>/dev/null || true
}

end_demo() {
    code=$?
    trap '' TERM INT HUP
    end_process "${qemu-}"
    end_process "${runtime-}"
    if [ "$code" -ne 0 ] && [ -s "$instance/guest.log" ]; then
        cp -- "$instance/guest.log" "$root/cnf/target/demo-guest.log"
        cat "$instance/runtime.out" "$instance/runtime.err" "$instance/qemu.err" >"$root/cnf/target/demo-host.log" 2>/dev/null || true
        note 'what the guest and the host said is in cnf/target/demo-guest.log and demo-host.log'
    fi
    rm -rf -- "$instance"
    exit "$code"
}
