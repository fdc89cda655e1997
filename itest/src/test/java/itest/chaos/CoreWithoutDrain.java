// SPDX-License-Identifier: Apache-2.0
package itest.chaos;

import itest.options.RuntimeOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.MethodModel;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarInputStream;
import java.util.jar.JarOutputStream;

/** Writes the core's jar once more, as if nobody had thought of waiting for the threads inside a mediation that is taken out. */
final class CoreWithoutDrain {
    private static final String GATES = "vfio/pci/core/gate/";
    private static final String DRAIN = "drain";
    private static final ClassDesc LIST = ClassDesc.of("java.util.List");
    private static final ClassDesc EMPTY = ClassDesc.of("java.util.ArrayList");
    /** By slots, and by count. */
    private static final int DRAINS = 2;

    private CoreWithoutDrain() {
    }

    /** The jar. */
    static Path write() {
        return write(RuntimeOptions.jar("vfio.pci.core"));
    }

    /**
     * The same of another jar.
     *
     * @throws IllegalStateException when there is nothing to be removed, or not all of it is found
     */
    static Path write(Path core) {
        List<String> removed = new ArrayList<>();
        try {
            Path jar = Files.createTempFile("core-without-drain-", ".jar");
            jar.toFile().deleteOnExit();
            try (var in = new JarInputStream(Files.newInputStream(core));
                    var out = new JarOutputStream(Files.newOutputStream(jar), in.getManifest())) {
                for (JarEntry entry = in.getNextJarEntry(); entry != null; entry = in.getNextJarEntry()) {
                    byte[] content = in.readAllBytes();
                    out.putNextEntry(new JarEntry(entry.getName()));
                    out.write(entry.getName().startsWith(GATES) && entry.getName().endsWith(".class") ? withoutDrain(content, removed)
                        : content);
                }
            }
            if (removed.size() != DRAINS) {
                throw new IllegalStateException("removed %s of %s expected=%d methods named %s".formatted(removed, core, DRAINS, DRAIN));
            }
            return jar;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] withoutDrain(byte[] content, List<String> removed) {
        ClassFile files = ClassFile.of();
        ClassModel model = files.parse(content);
        if (model.methods().stream().noneMatch(CoreWithoutDrain::drains)) {
            return content;
        }
        return files.transformClass(model, (builder, element) -> {
            if (element instanceof MethodModel method && drains(method)) {
                removed.add(model.thisClass().asInternalName() + "." + DRAIN);
                builder.withMethodBody(method.methodName(), method.methodType(), method.flags().flagsMask(),
                    CoreWithoutDrain::nobodyIsInside);
            } else {
                builder.with(element);
            }
        });
    }

    private static boolean drains(MethodModel method) {
        return method.methodName().equalsString(DRAIN) && method.methodTypeSymbol().returnType().equals(LIST);
    }

    private static void nobodyIsInside(CodeBuilder code) {
        code.new_(EMPTY).dup().invokespecial(EMPTY, ConstantDescs.INIT_NAME, MethodTypeDesc.of(ConstantDescs.CD_void)).areturn();
    }
}
