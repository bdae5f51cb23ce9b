// Which file a path leads to: the same path may lead to another later.

import Foundation

struct FileIdentity: Equatable {
    private let device: UInt64
    private let inode: UInt64

    /// - Returns: nil where there is none.
    init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
    }
}
