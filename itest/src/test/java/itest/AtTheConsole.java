// SPDX-License-Identifier: Apache-2.0
package itest;

import javax.inject.Inject;
import org.apache.felix.service.command.CommandProcessor;

/** What tests have in common that type commands, beside devices that they open themselves. */
public abstract class AtTheConsole extends OnTheNic {
    @Inject
    CommandProcessor processor;

    /** Runs one command line, and returns what it printed; what it throws, the command has thrown. */
    String type(String line) throws Exception {
        return new Gogo(processor).run(line);
    }
}
