// Programs whose calls to the system are watched, fail, or see another time: settings of the library in Tests/Interposer.

import BuiltProgram
import Foundation

/// What the interposer is to do in a program that is started with its environment.
package struct Interposition: Sendable {
    /// Only files below it are of concern.
    package var folder: String
    /// Where to append what happens to them; outside of the folder.
    package var journal: String?
    package var faults: [Fault] = []
    /// A file with the seconds to add to the wall clock, read at each look at it. It may be written while the program
    /// runs; without it the clock is right.
    package var clock: String?

    package init(folder: String) { self.folder = folder }

    package static let library = BuiltProgram.path(of: "libInterposer.so")

    /// What to add to a program's environment.
    package var environment: [String: String] {
        var environment = ["LD_PRELOAD": Self.library, "INTERPOSER_FOLDER": folder]
        environment["INTERPOSER_JOURNAL"] = journal
        environment["INTERPOSER_CLOCK"] = clock
        if !faults.isEmpty { environment["INTERPOSER_FAULT"] = faults.map(\.setting).joined(separator: ",") }
        return environment
    }
}

/// Calls that do not go as they should, in each process by its own count.
package struct Fault: Sendable {
    package enum Calls: String, Sendable {
        /// Also truncations and the like.
        case write
        /// Of files and of folders.
        case sync
        case open
        /// Renames, links, unlinks.
        case name
        /// All of these.
        case any
        case read
    }

    package enum Action: Sendable {
        /// By the name of its error number, as `EIO`; the call is not made.
        case fail(String)
        /// SIGKILL instead of the call.
        case kill
        case delay(milliseconds: Int)
        /// Half of what was to be written.
        case short
    }

    package var calls: Calls
    /// Only files whose names end so.
    package var suffix: String
    /// Counted from 1 among the calls of this kind to these files.
    package var first: Int
    /// nil: all from the first on.
    package var last: Int?
    package var action: Action

    package init(_ calls: Calls, of suffix: String = "", at range: ClosedRange<Int>, _ action: Action) {
        self.calls = calls
        self.suffix = suffix
        first = range.lowerBound
        last = range.upperBound
        self.action = action
    }

    package init(_ calls: Calls, of suffix: String = "", at number: Int, _ action: Action) {
        self.init(calls, of: suffix, at: number...number, action)
    }

    package init(_ calls: Calls, of suffix: String = "", from range: PartialRangeFrom<Int>, _ action: Action) {
        self.init(calls, of: suffix, at: range.lowerBound, action)
        last = nil
    }

    fileprivate var setting: String {
        let action =
            switch action {
            case .fail(let error): error
            case .kill: "kill"
            case .delay(let milliseconds): "delay:\(milliseconds)"
            case .short: "short"
            }
        let filter = suffix.isEmpty ? "" : "@\(suffix)"
        return "\(calls.rawValue)\(filter):\(first)-\(last.map { "\($0)" } ?? ""):\(action)"
    }
}
