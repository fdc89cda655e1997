// SPDX-License-Identifier: Apache-2.0
package cnf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A block of code in a page. */
record PageBlock(String language, List<String> lines) {
    private static final String FENCE = "```";
    private static final String LICENCE = "// SPDX-License-Identifier: Apache-2.0\n";

    /** All of a page, in its order. */
    static List<PageBlock> all(Path page) throws IOException {
        List<PageBlock> blocks = new ArrayList<>();
        String language = null;
        List<String> lines = new ArrayList<>();
        for (String line : Files.readAllLines(page)) {
            if (!line.startsWith(FENCE)) {
                lines.add(line);
            } else if (language == null) {
                language = line.substring(FENCE.length());
                lines = new ArrayList<>();
            } else {
                blocks.add(new PageBlock(language, List.copyOf(lines)));
                language = null;
            }
        }
        return blocks;
    }

    /** The file that a Java block is, by its first line. */
    String file() {
        return lines.getFirst().substring("// ".length());
    }

    /** What is to be in that file. */
    String fileContent() {
        return LICENCE + String.join("\n", lines.subList(1, lines.size())) + "\n";
    }
}
