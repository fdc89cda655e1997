// SPDX-License-Identifier: Apache-2.0
package mediator.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import vfio.pci.api.Errno;
import vfio.pci.api.PciAddress;
import vfio.pci.api.VfioException;
import vfio.pci.api.device.MmapArea;
import vfio.pci.api.device.RegionCapability;
import vfio.pci.api.device.RegionInfo;
import vfio.pci.api.mediation.Claim;
import vfio.pci.api.mediation.DmaWindow;
import vfio.pci.api.mediation.Verdict;

class GuardMediationTest {
    private static final PciAddress ADDRESS = PciAddress.parse("00:02.0");
    private static final RegionInfo BAR0 = new RegionInfo(0, 0x10000, Set.of(RegionInfo.Flag.READ, RegionInfo.Flag.MMAP),
        List.of(new RegionCapability.SparseMmap(List.of(new MmapArea(0, 0x3000, false)))));

    private final StubContext context = new StubContext(BAR0);
    private final GuardLog log = new GuardLog("test", System::nanoTime);
    private final AtomicLong clock = new AtomicLong();
    private final AtomicInteger closed = new AtomicInteger();
    private final MemorySegment buffer = MemorySegment.ofArray(new byte[16]);

    @AfterEach
    void endLog() {
        log.close();
    }

    @Test
    void denies() {
        GuardMediation guard = guard("deny write bar0:0x2030");
        assertRefused(Errno.EACCES, () -> write(guard, 0x2030, 4, 1));
        assertRefused(Errno.EACCES, () -> write(guard, 0x2033, 1, 1));
        assertRefused(Errno.EACCES, () -> write(guard, 0x2028, 16, 1));
        assertThat(guard.uses().getFirst().refused()).isEqualTo(3);
    }

    @Test
    void passesWhatNoRuleNames() throws VfioException {
        GuardMediation guard = guard("deny write bar0:0x2030");
        assertThat(guard.read(0, 0x2030, buffer, 0, 4)).isEqualTo(Verdict.PASS_THROUGH);
        assertThat(guard.write(1, 0x2030, buffer, 0, 4)).isEqualTo(Verdict.PASS_THROUGH);
        write(guard, 0x2034, 4, 1);
        write(guard, 0x202C, 4, 1);
        assertThat(guard.uses().getFirst().matched()).isZero();
    }

    @Test
    void deniesValuesOutsideAWindow() throws VfioException {
        GuardMediation guard = guard("deny write bar0:0x2038 value=!0x10000-0x1ffff");
        write(guard, 0x2038, 4, 0x10000);
        write(guard, 0x2038, 4, 0x1FFFF);
        assertRefused(Errno.EACCES, () -> write(guard, 0x2038, 4, 0x20000));
        assertRefused(Errno.EACCES, () -> write(guard, 0x2038, 4, 0xFFFF));
        assertRefused(Errno.EACCES, () -> write(guard, 0x2038, 4, -1));
        assertRefused(Errno.EACCES, () -> write(guard, 0x2038, 1, 0)); // a part may make anything of the whole
        buffer.set(ValueLayout.JAVA_INT_UNALIGNED, 4, 0x1_2345);
        assertThat(guard.write(0, 0x2034, buffer, 0, 8)).as("found in a wider write").isEqualTo(Verdict.PASS_THROUGH);
        buffer.set(ValueLayout.JAVA_INT_UNALIGNED, 4, 0x2_2345);
        assertRefused(Errno.EACCES, () -> guard.write(0, 0x2034, buffer, 0, 8));
    }

    @Test
    void limits() throws VfioException {
        GuardMediation guard = guard("limit write bar0:0x2030 rate=10 burst=2");
        write(guard, 0x2030, 4, 1);
        write(guard, 0x2030, 4, 1);
        assertRefused(Errno.EAGAIN, () -> write(guard, 0x2030, 4, 1));
        clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(100));
        write(guard, 0x2030, 4, 1);
        assertRefused(Errno.EAGAIN, () -> write(guard, 0x2030, 4, 1));
    }

    @Test
    void theFirstRuleDecidesButLogs() throws VfioException {
        GuardMediation guard = guard("log access bar0", "pass write bar0:0x100", "deny write bar0:0x100-0x1ff");
        write(guard, 0x100, 4, 1);
        assertRefused(Errno.EACCES, () -> write(guard, 0x104, 4, 1));
        assertThat(guard.uses()).extracting(RuleUse::matched).containsExactly(2L, 1L, 1L);
    }

    @Test
    void claimsWhatItsRulesNameAndNoMore() {
        assertThat(guard("deny write bar0:0x100", "log access bar0:0x100", "deny read bar2").claims())
            .containsExactly(Claim.of(0, 0x100, 4), Claim.whole(2));
    }

    @Test
    void unmapsPagesThatWouldBypassARuleAndSaysWhich() {
        GuardMediation guard = guard("deny write bar0:0x1004", "pass write bar0:0x2004", "log read bar2:0");
        assertThat(guard.regionInfo(BAR0).sparseMmap().orElseThrow().areas()).containsExactly(new MmapArea(0, 0x1000, false),
            new MmapArea(0x2000, 0x1000, false));
        assertThat(guard.uses()).extracting(RuleUse::unmappedText).containsExactly("0x1000-0x1fff", "none", "none");
        assertThat(guard("deny write bar0").regionInfo(BAR0).flags()).containsExactly(RegionInfo.Flag.READ);
        assertThat(guard("deny write bar1").regionInfo(BAR0)).isSameAs(BAR0);
    }

    @Test
    void tellsThatItClosed() {
        guard("deny write bar0").close();
        assertThat(closed).hasValue(1);
    }

    @Test
    void refusesWindowsByAddressAccessAndSize() throws VfioException {
        GuardMediation guard = guard("deny write dma:0xfee00000-0xfeefffff", "deny access dma size=!0-0x40000000",
            "deny access dma:0xffffffffffff0000-0xffffffffffffffff");
        guard.dmaMap(new DmaWindow(0xFEE0_0000L, 0x1000, true, false));
        assertRefusedWindow(() -> guard.dmaMap(new DmaWindow(0xFEE0_0000L, 0x1000, true, true)));
        assertRefusedWindow(() -> guard.dmaMap(new DmaWindow(0xFEDF_F000L, 0x1001, false, true)));
        guard.dmaMap(new DmaWindow(0xFEDF_F000L, 0x1000, false, true));
        guard.dmaMap(new DmaWindow(0xFEF0_0000L, 0x4000_0000, true, true));
        assertRefusedWindow(() -> guard.dmaMap(new DmaWindow(0x1_0000_0000L, 0x4000_0001, true, false)));
        assertRefusedWindow(() -> guard.dmaMap(new DmaWindow(-0x1000L, 0x1000, true, false)));
        assertThat(guard.uses()).extracting(RuleUse::matched).containsExactly(2L, 1L, 1L);
        assertThat(guard.claims()).as("no registers").isEmpty();
    }

    @Test
    void limitsAndPassesWindows() throws VfioException {
        GuardMediation guard = guard("pass access dma:0-0xffff", "limit access dma rate=10 burst=1");
        guard.dmaMap(new DmaWindow(0x10000, 0x1000, true, true));
        assertThatThrownBy(() -> guard.dmaMap(new DmaWindow(0x20000, 0x1000, true, true)))
            .isInstanceOfSatisfying(VfioException.class, refusal -> assertThat(refusal.errno()).isEqualTo(Errno.EAGAIN));
        guard.dmaMap(new DmaWindow(0, 0x1000, true, true));
        clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(100));
        guard.dmaMap(new DmaWindow(0x20000, 0x1000, true, true));
    }

    @Test
    void countsWindowsThatStandAgainstARule() throws VfioException {
        GuardMediation guard = guard("deny write dma:0x1000-0x1fff");
        guard.dmaPresent(new DmaWindow(0x1000, 0x1000, true, true));
        guard.dmaMap(new DmaWindow(0x2000, 0x1000, true, true));
        assertThat(guard.standing(guard.uses().getFirst())).isEqualTo(1);
        guard.change("guard", rules("deny write dma"));
        assertThat(guard.standing(guard.uses().getFirst())).isEqualTo(2);
        guard.dmaUnmap(new DmaWindow(0x2000, 0x1000, true, true));
        assertThat(guard.standing(guard.uses().getFirst())).isEqualTo(1);
    }

    @Test
    void changesItsRulesAndKeepsWhatOthersCounted() throws VfioException {
        GuardMediation guard = guard("deny write bar0:0x100", "limit write bar0:0x200 rate=1 burst=1");
        write(guard, 0x200, 4, 1);
        assertRefused(Errno.EAGAIN, () -> write(guard, 0x200, 4, 1));
        guard.change("guard", List.of(RuleSyntax.parse("1", "limit write bar0:0x200 rate=1 burst=1"),
            RuleSyntax.parse("2", "deny write bar0:0x300")));
        assertThat(context.claimed).containsExactly(List.of(Claim.of(0, 0x200, 4), Claim.of(0, 0x300, 4), Claim.of(0, 0x100, 4)),
            List.of(Claim.of(0, 0x200, 4), Claim.of(0, 0x300, 4)));
        write(guard, 0x100, 4, 1);
        assertRefused(Errno.EAGAIN, () -> write(guard, 0x200, 4, 1));
        assertRefused(Errno.EACCES, () -> write(guard, 0x300, 4, 1));
        assertThat(guard.uses()).extracting(RuleUse::matched).containsExactly(3L, 1L);
    }

    @Test
    void hasClientsGiveBackThePagesThatNewRulesNeed() {
        GuardMediation guard = guard("deny write bar0:0x1004");
        guard.change("guard", rules("deny write bar0:0x1004", "pass write bar0:0x8", "log write bar0:0x2ffe-0x4000"));
        assertThat(context.unmapped).containsExactly(List.of(Claim.of(0, 0x2000, 0x1000)));
        assertThat(guard.uses()).extracting(RuleUse::unmappedText).containsExactly("0x1000-0x1fff", "none", "0x2000-0x2fff");
        guard.change("guard", rules("deny write bar0:0x1008"));
        assertThat(context.unmapped).as("no page more").hasSize(1);
        assertThat(guard.bypassed(guard.uses().getFirst())).isEmpty();
        context.mappers = List.of("a vm", "another");
        assertThat(guard.bypassed(guard.uses().getFirst())).hasValue("0x1000-0x1fff by client=a vm, client=another");
    }

    /// Whichever rules an access meets, it is refused by one of them: it meets all of the one set or all of the other.
    @Test
    void anAccessGoesByOneSetOfRules() throws Exception {
        List<Rule> one = rules("deny write bar0:0x104", "pass write bar0:0x100");
        List<Rule> other = rules("pass write bar0:0x10c", "deny write bar0:0x100");
        GuardMediation guard = new GuardMediation(ADDRESS, context, log, clock::get, _ -> { });
        guard.begin("guard", one);
        AtomicBoolean ended = new AtomicBoolean();
        AtomicInteger written = new AtomicInteger();
        FutureTask<Long> writing = new FutureTask<>(() -> {
            MemorySegment bytes = MemorySegment.ofArray(new byte[8]);
            long passed = 0;
            while (!ended.get()) {
                try {
                    guard.write(0, 0x100, bytes, 0, 8);
                    passed++;
                } catch (VfioException refused) {
                    assertThat(refused.errno()).isEqualTo(Errno.EACCES);
                }
                written.incrementAndGet();
            }
            return passed;
        });
        Thread.ofPlatform().start(writing);
        for (int i = 0; !writing.isDone() && (i < 2000 || written.get() < 2000); i++) {
            guard.change("guard", i % 2 == 0 ? other : one);
            context.claimed.clear();
        }
        ended.set(true);
        assertThat(writing.get()).isZero();
    }

    private GuardMediation guard(String... rules) {
        GuardMediation guard = new GuardMediation(ADDRESS, context, log, clock::get, ended -> closed.incrementAndGet());
        guard.begin("guard", rules(rules));
        return guard;
    }

    private static List<Rule> rules(String... texts) {
        return IntStream.range(0, texts.length).mapToObj(i -> RuleSyntax.parse("" + i, texts[i])).toList();
    }

    private static void assertRefusedWindow(ThrowingCallable map) {
        assertThatThrownBy(map).isInstanceOfSatisfying(VfioException.class, refusal -> {
            assertThat(refusal.errno()).isEqualTo(Errno.EACCES);
            assertThat(refusal.getMessage()).contains("rule=", "iova=0x", "expected=");
        });
    }

    private void write(GuardMediation guard, long offset, int count, int value) throws VfioException {
        buffer.set(ValueLayout.JAVA_INT_UNALIGNED, 0, value);
        assertThat(guard.write(0, offset, buffer, 0, count)).isEqualTo(Verdict.PASS_THROUGH);
    }

    private static void assertRefused(Errno errno, ThrowingCallable access) {
        assertThatThrownBy(access).isInstanceOfSatisfying(VfioException.class, refusal -> {
            assertThat(refusal.errno()).isEqualTo(errno);
            assertThat(refusal.getMessage()).contains("rule=", "offset=0x", "expected=");
        });
    }
}
