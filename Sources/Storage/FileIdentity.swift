// What lies at a path: which file, of what kind, whose, and who may read it.

package import Foundation

/// Which file a path or an open file leads to: the same path may lead to another later.
package struct FileIdentity: Equatable, Codable, Sendable {
    let device: UInt64
    let inode: UInt64

    fileprivate init(_ status: stat) { (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino)) }

    /// - Parameter followingLinks: false for a link itself.
    /// - Returns: nil where there is none.
    package init?(of path: String, followingLinks: Bool = true) {
        guard let file = FileStatus(of: path, followingLinks: followingLinks) else { return nil }
        self = file.identity
    }

    init?(of descriptor: Int32) {
        guard let file = FileStatus(of: descriptor) else { return nil }
        self = file.identity
    }
}

/// What the system says of a file.
package struct FileStatus {
    let identity: FileIdentity
    private let mode: mode_t
    package let owner: uid_t
    let group: gid_t
    /// How many names it has.
    let links: Int
    let bytes: Int64

    private init(_ status: stat) {
        identity = FileIdentity(status)
        (mode, owner, group) = (status.st_mode, status.st_uid, status.st_gid)
        (links, bytes) = (Int(status.st_nlink), Int64(status.st_size))
    }

    /// - Parameter followingLinks: false for a link itself.
    /// - Returns: nil where there is none.
    package init?(of path: String, followingLinks: Bool = true) {
        var status = stat()
        guard (followingLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
        self.init(status)
    }

    init?(of descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    var isFile: Bool { mode & S_IFMT == S_IFREG }
    var isFolder: Bool { mode & S_IFMT == S_IFDIR }
    package var isSocket: Bool { mode & S_IFMT == S_IFSOCK }

    /// For messages: `a FIFO`.
    package var kind: String {
        switch mode & S_IFMT {
        case S_IFREG: "a file"
        case S_IFDIR: "a folder"
        case S_IFLNK: "a link"
        case S_IFIFO: "a FIFO"
        case S_IFSOCK: "a socket"
        default: "a device"
        }
    }

    /// Who may do what, as `chmod` takes it.
    package var permissions: mode_t { mode & 0o7777 }
}

/// Who may read what meterd makes: the ledger's user, and its group, which may not write. A user's mask may take more away.
enum FileAccess {
    static let most: mode_t = 0o640

    /// The permissions of a copy: no more than those of its original, and always enough for its owner.
    static func permissions(like original: FileStatus) -> mode_t { original.permissions & most | 0o600 }
}
