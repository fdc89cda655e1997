// SPDX-License-Identifier: Apache-2.0
package vfio.pci.provision.jar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HeaderClauseTest {
    @Test
    void rejectsOpenQuote() {
        assertThatThrownBy(() -> HeaderClause.parse("a;b=\"c")).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("quotes");
    }

    @Test
    void readsListsOfTypedAttributes() {
        assertThat(HeaderClause.parse("vfio.mediator;vendor:List<String>=\"8086\";device:List<String>=\"154c, 1571\"")).containsExactly(
            new HeaderClause("vfio.mediator", Map.of("vendor", List.of("8086"), "device", List.of("154c", "1571"))));
    }

    @Test
    void keepsClausesApartAndDropsDirectives() {
        List<HeaderClause> clauses = HeaderClause.parse(
            "osgi.service;objectClass:List<String>=\"a.B,c.D\";effective:=active;uses:=\"a,c\", vfio.mediator ; class = 0200 ");
        assertThat(clauses).containsExactly(new HeaderClause("osgi.service", Map.of("objectClass", List.of("a.B", "c.D"))),
            new HeaderClause("vfio.mediator", Map.of("class", List.of("0200"))));
    }

    @Test
    void readsSymbolicNameWithDirective() {
        assertThat(HeaderClause.parse("mediator.igd;singleton:=true").getFirst().path()).isEqualTo("mediator.igd");
    }
}
