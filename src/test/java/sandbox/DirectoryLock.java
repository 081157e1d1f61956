package sandbox;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Keeps a second run out of a directory while the first one lives. Otherwise the second run would stop the servers of
 * the first as leftovers. The system releases the lock when its owner ends.
 */
final class DirectoryLock implements AutoCloseable {

    private final FileChannel file;

    private DirectoryLock(FileChannel file) {
        this.file = file;
    }

    /** @throws SandboxException when another process holds the lock */
    static DirectoryLock take(Path directory) throws IOException {
        Files.createDirectories(directory);
        Path path = directory.resolve("lock");
        FileChannel file =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        if (!locked(file)) {
            file.close();
            throw new SandboxException("%s is in use by process %s. Stop it first"
                    .formatted(directory, Files.readString(path).strip()));
        }
        file.truncate(0)
                .write(ByteBuffer.wrap(
                        Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)));
        return new DirectoryLock(file);
    }

    private static boolean locked(FileChannel file) throws IOException {
        try {
            FileLock lock = file.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            // This process holds it.
            return false;
        }
    }

    /** Leaves an empty file, because a deleted one would let two others lock two files of the same name. */
    @Override
    public void close() throws IOException {
        if (file.isOpen()) {
            file.truncate(0);
            file.close();
        }
    }
}
