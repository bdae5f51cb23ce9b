// Which file a path or an open file leads to: the same path may lead to another later.

import Foundation

struct FileIdentity: Equatable {
    let device: UInt64
    let inode: UInt64

    private init(_ status: stat) { (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino)) }

    /// - Parameter followingLinks: false for a link itself.
    /// - Returns: nil where there is none.
    init?(of path: String, followingLinks: Bool = true) {
        var status = stat()
        guard (followingLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
        self.init(status)
    }

    init?(of descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }
}
